"""Names in templates: those that nobody gives, and those that nobody reads.

Said only where it can be known: a template that includes another by a computed name may read anything, and what a
page's function gives is known only if it returns a dictionary written out. Whatever a template sets, imports or loops
over is taken as known to all templates that it is rendered with.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple, Protocol

from jinja2 import nodes
from jinja2.meta import find_referenced_templates, find_undeclared_variables

from toolkit.errors import TemplateError, did_you_mean

_ALWAYS = frozenset({"loop", "self", "super", "caller", "varargs", "kwargs", "context", "true", "false", "none"})
_ASKED = frozenset({"defined", "undefined"})
_EXCUSED = frozenset({"default", "d"})


class Doubt(NamedTuple):
    """A name that is doubtful.

    Args:
        code: ``unknown-name`` or ``unused-name``.
        error: The letter about it.
    """

    code: str
    error: TemplateError


class Source(Protocol):
    """What is asked of the linter."""

    trees: dict[str, nodes.Template]

    def reached(self, roots: Collection[str]) -> set[str]: ...

    def letter(self, name: str, line: int | None, message: str, hint: str) -> TemplateError: ...


def doubtful_names(
    source: Source, given: Mapping[str, Collection[str] | None], known: Collection[str], roots: Collection[str]
) -> Iterator[Doubt]:
    """Names that no page gives, and names that no template reads.

    Args:
        source: The templates.
        given: Template of pages to the names that they have; None where those are not known.
        known: Names that every template has.
        roots: All templates that are rendered by name.
    """
    trees = source.trees
    families = {root: source.reached([root]) for root in roots if root in trees}
    for name in sorted({one for family in families.values() for one in family}):
        mine = {root: family for root, family in families.items() if name in family}
        if any(_is_computed(trees[one]) for family in mine.values() for one in family):
            continue
        if all(given.get(root) is not None for root in mine):
            yield from _unknown(source, name, mine, given, {*known, *_ALWAYS})
        yield from _unused(source, name, set().union(*mine.values()))


def _is_computed(tree: nodes.Template) -> bool:
    return None in find_referenced_templates(tree)


def _unknown(
    source: Source,
    name: str,
    families: Mapping[str, set[str]],
    given: Mapping[str, Collection[str] | None],
    known: set[str],
) -> Iterator[Doubt]:
    tree = source.trees[name]
    there = known | {one for root in families for one in given[root] or ()}
    for family in families.values():
        for one in family:
            there |= _made(source.trees[one])
    for missing in sorted(find_undeclared_variables(tree) - there - _excused(tree)):
        line = next((node.lineno for node in tree.find_all(nodes.Name) if node.name == missing), None)
        message = f"{missing!r} is given by no page that is rendered with {name}"
        hint = did_you_mean(missing, there) or "Let the page's function give it."
        yield Doubt("unknown-name", source.letter(name, line, message, hint))


def _excused(tree: nodes.Template) -> set[str]:
    """Names that may be missing: it is asked whether they are there, or said what stands for them."""
    asked = (test.node for test in tree.find_all(nodes.Test) if test.name in _ASKED)
    excused = (one.node for one in tree.find_all(nodes.Filter) if one.name in _EXCUSED)
    return {node.name for node in (*asked, *excused) if isinstance(node, nodes.Name)}


def _made(tree: nodes.Template) -> set[str]:
    """Names that a template makes."""
    made = {node.name for node in tree.find_all(nodes.Name) if node.ctx in ("store", "param")}
    made |= {macro.name for macro in tree.find_all(nodes.Macro)}
    return made | {name for name, _ in _imported(tree)}


def _imported(tree: nodes.Template) -> Iterator[tuple[str, int]]:
    for node in tree.find_all((nodes.Import, nodes.FromImport)):
        if isinstance(node, nodes.Import):
            yield node.target, node.lineno
        elif isinstance(node, nodes.FromImport):
            for name in node.names:
                yield (name if isinstance(name, str) else name[1]), node.lineno


def read_names(tree: nodes.Template) -> set[str]:
    """Names that a template reads."""
    return {node.name for node in tree.find_all(nodes.Name) if node.ctx == "load"}


def _unused(source: Source, name: str, family: Collection[str]) -> Iterator[Doubt]:
    """What a template imports or sets, and neither it nor any template with it reads."""
    tree = source.trees[name]
    read = set().union(*(read_names(source.trees[one]) for one in family))
    made = [(one, line, "imports") for one, line in _imported(tree)]
    for assign in tree.find_all((nodes.Assign, nodes.AssignBlock)):
        target = assign.target if isinstance(assign, nodes.Assign | nodes.AssignBlock) else None
        if isinstance(target, nodes.Name):
            made.append((target.name, assign.lineno, "sets"))
    for one, line, verb in made:
        if one not in read and not one.startswith("_"):
            message = f"it {verb} {one!r}, which nothing reads"
            yield Doubt("unused-name", source.letter(name, line, message, "Take it out."))


def unread_values(source: Source, template: str, given: Collection[str]) -> list[str]:
    """Of the names that a page's function gives, those that no template of the page reads; none if that is unknown."""
    family = source.reached([template])
    if not family or any(_is_computed(source.trees[one]) for one in family):
        return []
    read = set().union(*(read_names(source.trees[one]) for one in family))
    return sorted(set(given) - read)
