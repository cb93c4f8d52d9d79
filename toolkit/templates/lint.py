"""What is wrong with templates before any page is rendered: everything, reported together."""

from __future__ import annotations

import glob
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol, cast

from jinja2 import nodes
from jinja2.meta import find_referenced_templates, find_undeclared_variables

from toolkit.errors import TemplateError, ToolkitError, did_you_mean

from .environment import TemplateEnvironment
from .names import doubtful_names

REQUEST_NAMES = frozenset({"request", "session", "csrf_token", "user"})
"""Names that only a view has: a page is rendered without a request."""


class _Naming(Protocol):
    """A statement that names another template."""

    template: nodes.Expr


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a template should not have.

    Args:
        code: Stable name of the rule: ``syntax``, ``missing-template``, ``unknown-block``, ``request-in-page``,
            ``unused-template``, ``unknown-name`` or ``unused-name``.
        severity: ``"error"`` or ``"warning"``.
        error: The letter about it.
    """

    code: str
    severity: str
    error: ToolkitError


def check_templates(
    environment: TemplateEnvironment,
    *,
    pages: Collection[str] = (),
    used: Collection[str] = (),
    given: Mapping[str, Collection[str] | None] | None = None,
) -> list[Finding]:
    """Compile all templates of an environment and look at how they hang together.

    Args:
        environment: Whose templates.
        pages: Names of the templates that pages are rendered with; they and what they use may not read the request.
        used: Names used from elsewhere (views, error pages), for ``unused-template``. With neither ``pages`` nor
            ``used`` given, no template is called unused.
        given: Template of pages to the names that they have; None where those are not known.

    Returns:
        The findings, by template.
    """
    findings: list[Finding] = []
    trees: dict[str, nodes.Template] = {}
    for name in environment.list_templates():
        try:
            source = environment.folders.read(name)
            if source is not None:
                environment.compile(source.text, name, str(source.path))
                trees[name] = environment.parse(source.text, name, str(source.path))
        except TemplateError as error:
            findings.append(Finding("syntax", "error", error))
    linter = Linter(environment, trees)
    for name in trees:
        findings += linter.missing(name)
        findings += linter.unknown_blocks(name)
    findings += linter.requests(linter.reached(pages))
    if pages or used:
        findings += linter.unused({*pages, *used})
    known = set(environment.globals)
    for code, doubt in doubtful_names(linter, given or {}, known, {*pages, *used}):
        findings.append(Finding(code, "warning", doubt))
    return findings


def open_linter(environment: TemplateEnvironment) -> Linter:
    """A linter of all templates that can be read."""
    trees: dict[str, nodes.Template] = {}
    for name in environment.list_templates():
        source = environment.folders.read(name)
        with suppress(TemplateError):
            if source is not None:
                trees[name] = environment.parse(source.text, name, str(source.path))
    return Linter(environment, trees)


class Linter:
    """Looks at the templates of one environment.

    Args:
        environment: Whose templates.
        trees: Name to syntax tree.
    """

    def __init__(self, environment: TemplateEnvironment, trees: dict[str, nodes.Template]) -> None:
        self.environment = environment
        self.trees = trees
        self.names = environment.list_templates()

    def missing(self, name: str) -> Iterator[Finding]:
        """Templates that are named and not there; ``ignore missing`` and lists of names may be."""
        for node in self.trees[name].find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)):
            target = cast(_Naming, node).template
            if not isinstance(target, nodes.Const) or not isinstance(target.value, str):
                continue
            if target.value not in self.names and not getattr(node, "ignore_missing", False):
                hint = did_you_mean(target.value, self.names)
                error = self.letter(name, node.lineno, f"there is no template {target.value!r}", hint)
                yield Finding("missing-template", "error", error)

    def unknown_blocks(self, name: str) -> Iterator[Finding]:
        """Blocks that no ancestor has: a typing mistake, whose content appears nowhere."""
        ancestors = self._ancestors(name)
        if not ancestors:
            return
        known = {block.name for ancestor in ancestors for block in self.trees[ancestor].find_all(nodes.Block)}
        own = list(self.trees[name].find_all(nodes.Block))
        inner = {child.name for block in own for child in block.find_all(nodes.Block)}
        for block in own:
            if block.name not in known and block.name not in inner:
                message = f"block {block.name!r} is in no template that {name} extends, so it is never shown"
                error = self.letter(name, block.lineno, message, did_you_mean(block.name, known))
                yield Finding("unknown-block", "warning", error)

    def requests(self, names: Collection[str]) -> Iterator[Finding]:
        """Public pages that read what only a request has."""
        for name in sorted(names):
            read = find_undeclared_variables(self.trees[name]) & REQUEST_NAMES
            for variable in sorted(read - set(self.environment.globals)):
                line = next(node.lineno for node in self.trees[name].find_all(nodes.Name) if node.name == variable)
                message = f"{variable!r} is read by a page, and a page has no request"
                error = self.letter(name, line, message, "Make it a view, or leave it to a script.")
                yield Finding("request-in-page", "error", error)

    def unused(self, roots: Collection[str]) -> Iterator[Finding]:
        """Templates that nothing names, and that no computed name can be, such as ``"cards/" ~ kind ~ ".html"``."""
        computed = [pattern for tree in self.trees.values() for pattern in _computed_names(tree)]
        may_be = {name for name in self.trees if any(fnmatchcase(name, pattern) for pattern in computed)}
        reached = self.reached({*roots, *may_be})
        for name in self.trees:
            if name not in reached and not name.startswith("shortcodes/"):
                error = self.letter(name, None, "no page, view or template uses this", "Delete it.")
                yield Finding("unused-template", "warning", error)

    def reached(self, roots: Collection[str]) -> set[str]:
        """The templates that these use, themselves included."""
        reached: set[str] = set()
        waiting = list(roots)
        while waiting:
            name = waiting.pop()
            if name in self.trees and name not in reached:
                reached.add(name)
                waiting += [found for found in find_referenced_templates(self.trees[name]) if found]
        return reached

    def _ancestors(self, name: str) -> list[str]:
        """The chain above a template; empty when any link of it is computed, missing or a circle."""
        chain: list[str] = []
        while True:
            extends = self.trees[name].find(nodes.Extends)
            if extends is None:
                return chain
            target = extends.template
            name = target.value if isinstance(target, nodes.Const) else ""
            if name not in self.trees or name in chain:
                return []
            chain.append(name)

    def letter(self, name: str, line: int | None, message: str, hint: str) -> TemplateError:
        """An error at a line of a template."""
        winner = self.environment.why_template(name).winner
        return TemplateError(message, path=winner.path if winner else name, line=line, hint=hint or None)


_NAMING = (nodes.Extends, nodes.FromImport, nodes.Import, nodes.Include)


def _computed_names(tree: nodes.Template) -> Iterator[str]:
    """Patterns of the names that a template computes, with ``*`` for what nobody knows."""
    for node in tree.find_all(_NAMING):
        named = cast(_Naming, node).template
        for one in named.items if isinstance(named, nodes.List | nodes.Tuple) else [named]:
            if not isinstance(one, nodes.Const):
                yield _pattern(one)


def _pattern(node: nodes.Node) -> str:
    if isinstance(node, nodes.Const):
        return glob.escape(str(node.value))
    if isinstance(node, nodes.Concat):
        return "".join(map(_pattern, node.nodes))
    if isinstance(node, nodes.Add):
        return _pattern(node.left) + _pattern(node.right)
    return "*"
