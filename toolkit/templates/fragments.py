"""Fragments: a part of a template that is rendered once for each of its keys, on however many pages it stands.

    {% cache story, first=loop.first %}<li{% if first %} class="first"{% endif %}>{{ story.title }}</li>{% endcache %}

A fragment is kept with all that it read, as a trace of its own; a page that shows it again has read that too. So an
edit renders the pages that show what was edited, as if nothing had been kept. What a fragment shows may depend on its
keys alone, and on what it reads by way of them: a template in which it reads another name is refused when it is
compiled.

Fragments are kept for as long as one state of the site is rendered: a build, in each of its processes. The server
renders them anew, for it keeps whole pages, until their trace no longer verifies.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from datetime import date, datetime, time
from inspect import signature
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.ext import Extension
from jinja2.filters import FILTERS as DEFAULT_FILTERS
from jinja2.parser import Parser
from jinja2.utils import _PassArg
from markupsafe import Markup

from toolkit.errors import DeclarationError
from toolkit.trace import Trace, current

from .arguments import parse_arguments

MOST = 16_384
"""Fragments that a process keeps: some 60 MB; the oldest goes first."""

TRANSLATING = frozenset({"_", "gettext", "ngettext", "npgettext", "pgettext"})
"""Functions that get the page's names from Jinja, and look at none but each other."""

EVERYWHERE = frozenset({"site", "locale", "viewer"})
"""Names of the context that are the same on all pages of one language."""

PLAIN = (str, int, float, bool, bytes, date, datetime, time, type(None))

Key = tuple[Any, ...]
Kept = tuple[Markup, Trace]


class FragmentTag(Extension):
    """The tags ``cache`` and ``endcache``."""

    tags = {"cache"}

    def parse(self, parser: Parser) -> nodes.Node:
        """Read the keys and the fragment."""
        line = next(parser.stream).lineno
        given, named = parse_arguments(parser)
        for key in given:
            if not isinstance(key, nodes.Name):
                parser.fail("a key of a fragment that is no single name needs one: {% cache first=loop.first %}", line)
        if not given and not named:
            parser.fail("a fragment needs a key, such as {% cache story %}", line)
        body = parser.parse_statements(("name:endcache",), drop_needle=True)
        place = nodes.Const(f"{parser.name}:{line}")
        values = nodes.List([key.value for key in named])
        call = self.call_method("render", [place, nodes.List(given), values], lineno=line)
        parameters = [nodes.Name(key.key, "param") for key in named]
        block = nodes.CallBlock(call, parameters, [], body, lineno=line)
        block.fragment_keys = {key.name for key in given if isinstance(key, nodes.Name)} | {key.key for key in named}  # type: ignore[attr-defined] # a mark for check_fragments
        return block

    def render(self, place: str, given: list[Any], named: list[Any], caller: Callable[..., Any]) -> Markup:
        """What the compiled tag does."""
        kept: dict[Key, Kept] | None = getattr(self.environment, "fragments", None)
        scope = current.get()
        if kept is None or scope is None or scope.trace is None or scope.strict:
            return Markup(caller(*named))  # noqa: S704 - the template escaped it
        key = (place, scope.locale, scope.viewer, *(_key_of(place, value) for value in (*given, *named)))
        found = kept.get(key)
        if found is None:
            outer, scope.trace = scope.trace, Trace(outer=scope.trace)
            try:
                found = Markup(caller(*named)), scope.trace  # noqa: S704 - the template escaped it
            finally:
                inner, scope.trace = scope.trace, outer
                outer.include(inner)
            inner.outer = None
            kept[key] = found
            if len(kept) > MOST:
                with suppress(RuntimeError):  # another thread keeps one at this moment
                    kept.pop(next(iter(kept)), None)
            return found[0]
        scope.trace.include(found[1])
        return found[0]


def _key_of(place: str, value: Any) -> Any:
    """What stands for a key's value: equal values give equal fragments.

    Raises:
        DeclarationError: Nothing can stand for it.
    """
    if isinstance(value, PLAIN):
        return type(value), value
    stands = getattr(value, "__fragment_key__", None)
    if stands is None:
        raise DeclarationError(
            f"{place}: {type(value).__name__} cannot be the key of a fragment",
            hint="Keys are rows, texts, numbers and dates. Name what is needed of it: {% cache n=items|length %}.",
        )
    return type(value), stands()


def check_fragments(tree: nodes.Template, environment: Any, *, name: str | None, filename: str | None) -> None:
    """Refuse fragments that read more than their keys.

    Args:
        tree: A parsed template.
        environment: Its environment.
        name: The template's name.
        filename: Its file.

    Raises:
        TemplateSyntaxError: At the line of what is read.
    """
    blocks = [block for block in tree.find_all(nodes.CallBlock) if hasattr(block, "fragment_keys")]
    if not blocks:
        return
    blind = {each for each, value in environment.globals.items() if each in TRANSLATING or not _sees_context(value)}
    allowed = {*blind, *EVERYWHERE, *_imported(tree)}
    for block in blocks:
        keys: set[str] = block.fragment_keys
        found = [*_free(block.body, allowed | keys), *_sighted(block.body, environment)]
        for node, read in found:
            raise TemplateSyntaxError(
                f"the fragment reads {read}, which is not one of its keys; on another page it may be another. "
                "Name as a key what it needs: {% cache story, first=loop.first %}",
                node.lineno,
                name,
                filename,
            )


def _sees_context(function: Any) -> bool:
    return bool(_PassArg.from_obj(function) is _PassArg.context)


def _sighted(body: Iterable[nodes.Node], environment: Any) -> Iterator[tuple[nodes.Node, str]]:
    """Filters and tags of the site's own that are handed all names of the page."""
    for node in body:
        for used in node.find_all(nodes.Filter):
            function = environment.filters.get(used.name)
            if function is not DEFAULT_FILTERS.get(used.name) and _sees_context(function):
                yield used, f"all names of the page, by the filter {used.name!r}"
        for call in node.find_all(nodes.Call):
            tag = _tag_of(call)
            function = environment.custom_tags.get(tag)
            if function is not None and "context" in signature(function).parameters:
                yield call, f"all names of the page, by the tag {tag!r}"


def _tag_of(call: nodes.Call) -> Any:
    """The custom tag that a call stands for, or None."""
    first = call.args[0] if call.args else None
    return first.value if isinstance(call.node, nodes.ExtensionAttribute) and isinstance(first, nodes.Const) else None


def _imported(tree: nodes.Template) -> Iterator[str]:
    """Names of macros that see nothing of the page."""
    for whole in tree.find_all(nodes.Import):
        if not whole.with_context:
            yield whole.target
    for part in tree.find_all(nodes.FromImport):
        if not part.with_context:
            yield from (each if isinstance(each, str) else each[1] for each in part.names)


def _free(body: Iterable[nodes.Node], bound: Collection[str]) -> Iterator[tuple[nodes.Node, str]]:
    """Names that are read and not made in some nodes, and inclusions that see the whole page."""
    made = {name.name for node in body for name in _names(node) if name.ctx in ("store", "param")}
    made |= {
        macro.name for node in body for macro in (node, *node.find_all(nodes.Macro)) if isinstance(macro, nodes.Macro)
    }
    for node in body:
        yield from _free_in(node, {*bound, *made})


def _names(node: nodes.Node) -> Iterator[nodes.Name]:
    if isinstance(node, nodes.Name):
        yield node
    yield from node.find_all(nodes.Name)


def _free_in(node: nodes.Node, bound: set[str]) -> Iterator[tuple[nodes.Node, str]]:
    if isinstance(node, nodes.Include) and node.with_context:
        yield node, "all names of the page, by an include without 'without context'"
    if isinstance(node, nodes.Name) and node.ctx == "load" and node.name not in bound:
        yield node, repr(node.name)
    inner = {*bound, "loop"} if isinstance(node, nodes.For) else bound
    if isinstance(node, nodes.CallBlock) and hasattr(node, "fragment_keys"):
        inner = {*bound, *node.fragment_keys}
    for child in node.iter_child_nodes():
        yield from _free_in(child, inner)
