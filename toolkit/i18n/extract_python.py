"""Messages in Python sources.

Read from Python's own syntax tree. Babel's extractor reads tokens, and so takes ``_("a" if x else "b")`` for
the message "ab" and says nothing of an f-string, which can never be found in a catalog; here both branches
are taken, and the f-string is a problem with its line.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from toolkit.errors import CatalogError, ToolkitError

from .catalog import Message

TRANSLATORS = "Translators:"
"""How a comment begins that is meant for translators."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Which arguments of a function are the message.

    Args:
        msgid: Position and keyword of the source text.
        plural: Position and keyword of the plural.
        context: Position and keyword of the context.
    """

    msgid: tuple[int, str]
    plural: tuple[int, str] | None = None
    context: tuple[int, str] | None = None


_PLAIN = Signature((0, "message"))
_COUNTED = Signature((0, "singular"), (1, "plural"))
_CONTEXT = Signature((1, "message"), None, (0, "context"))
_BOTH = Signature((1, "singular"), (2, "plural"), (0, "context"))
SIGNATURES: dict[str, Signature] = {
    "gettext": _PLAIN,
    "gettext_lazy": _PLAIN,
    "gettext_noop": _PLAIN,
    "ngettext": _COUNTED,
    "ngettext_lazy": _COUNTED,
    "pgettext": _CONTEXT,
    "pgettext_lazy": _CONTEXT,
    "npgettext": _BOTH,
    "npgettext_lazy": _BOTH,
}


def extract_python(path: Path, *, location: str, problems: list[ToolkitError]) -> list[Message]:
    """The messages of a Python file.

    Knows the functions by their names, whatever they are imported as (``gettext_lazy as _l``), and ``_``.

    Args:
        path: The file.
        location: Its name in catalogs.
        problems: Gets what is wrong: syntax, and texts put together before they are translated.
    """
    try:
        source = path.read_bytes()
        tree = ast.parse(source, str(path))
    except OSError as problem:
        problems.append(CatalogError(f"the file cannot be read: {problem.strerror}", path=path))
        return []
    except (SyntaxError, ValueError) as problem:
        line = getattr(problem, "lineno", None)
        problems.append(CatalogError(f"this is not Python: {problem}", path=path, line=line))
        return []
    comments = _translator_comments(source)
    extractor = _Extractor(path, location, comments, problems, _signatures(tree))
    extractor.visit(tree)
    return extractor.messages


def _signatures(tree: ast.Module) -> dict[str, Signature]:
    """The functions by the names that this module gives them."""
    names = {**SIGNATURES, "_": _PLAIN}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.asname and alias.name in SIGNATURES:
                    names[alias.asname] = SIGNATURES[alias.name]
    return names


def _translator_comments(source: bytes) -> dict[int, str]:
    """The text of each comment for translators, by the line it ends on; blocks of lines are joined."""
    found: dict[int, str] = {}
    block = 0  # the line that a comment may go on from: one that has nothing but a comment
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        line, text = token.start[0], token.string.lstrip("#").strip()
        if text.startswith(TRANSLATORS):
            found[line] = text.removeprefix(TRANSLATORS).strip()
        elif block and block == line - 1:
            found[line] = f"{found.pop(block)}\n{text}"
        else:
            continue
        block = 0 if token.line[: token.start[1]].strip() else line
    return found


class _Extractor(ast.NodeVisitor):
    """Walks the tree, knowing the statement it is in."""

    def __init__(
        self,
        path: Path,
        location: str,
        comments: dict[int, str],
        problems: list[ToolkitError],
        signatures: dict[str, Signature],
    ) -> None:
        self.path = path
        self.location = location
        self.comments = comments
        self.problems = problems
        self.signatures = signatures
        self.messages: list[Message] = []
        self._statement = 0

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.stmt):
            self._statement = node.lineno
        super().visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
        signature = self.signatures.get(name)
        if signature is not None and (isinstance(function, ast.Name) or name in SIGNATURES):
            self._take(node, signature)
        self.generic_visit(node)

    def _take(self, call: ast.Call, signature: Signature) -> None:
        source = _argument(call, signature.msgid)
        if source is None:
            return
        plural = self._text(call, signature.plural)
        context = self._text(call, signature.context)
        if (signature.plural and plural is None) or (signature.context and context is None):
            return
        for msgid in self._texts(source):
            self.messages.append(
                Message(msgid, context, plural, (self.location,), self._comment(call.lineno), line=call.lineno)
            )

    def _text(self, call: ast.Call, where: tuple[int, str] | None) -> str | None:
        node = _argument(call, where) if where else None
        return next(self._texts(node), None) if node is not None else None

    def _texts(self, node: ast.expr) -> Iterator[str]:
        """The texts that an argument may be; none for one that only the running program knows."""
        text = _constant(node)
        if text is not None:
            yield text
        elif isinstance(node, ast.IfExp):
            yield from self._texts(node.body)
            yield from self._texts(node.orelse)
        elif _is_put_together(node):
            hint = "Translate first, then fill in: gettext('Hello %(name)s') % {'name': name}."
            self.problems.append(
                CatalogError(
                    "this text is put together before it is translated, so no catalog can have it",
                    path=self.path,
                    line=node.lineno,
                    hint=hint,
                )
            )

    def _comment(self, line: int) -> tuple[str, ...]:
        """The comment for translators on the line, right above it, or right above its statement."""
        for place in (line, line - 1, self._statement - 1):
            if place in self.comments:
                return (self.comments[place],)
        return ()


def _argument(call: ast.Call, where: tuple[int, str]) -> ast.expr | None:
    position, name = where
    if len(call.args) > position:
        return call.args[position]
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _constant(node: ast.expr) -> str | None:
    """The text of a literal, of literals joined by ``+``, or of an f-string without fields."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _constant(node.left), _constant(node.right)
        return None if left is None or right is None else left + right
    if isinstance(node, ast.JoinedStr):
        parts = [_constant(part) for part in node.values]
        return None if None in parts else "".join(part for part in parts if part is not None)
    return None


def _is_put_together(node: ast.expr) -> bool:
    """An f-string, or a literal with ``%``, ``+`` or ``.format``."""
    if isinstance(node, ast.JoinedStr):
        return True
    if isinstance(node, ast.BinOp):
        return _constant(node.left) is not None or _constant(node.right) is not None
    function = node.func if isinstance(node, ast.Call) else None
    return isinstance(function, ast.Attribute) and function.attr == "format" and bool(_constant(function.value))
