"""What templates compile to, and what runs it: Jinja's own, correct for many pages and quick for ten thousand.

A page of a blog evaluates a hundred expressions and calls forty functions, so what Jinja does around each of them
counts. Measured on 2,000 stories, Jinja's own ``Context.call``, ``escape`` and contexts made of ``ChainMap`` took an
eighth of the rendering.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.environment import TemplateModule
from jinja2.runtime import Context, Macro, new_context
from jinja2.utils import internalcode
from markupsafe import Markup, escape

_SPECIAL = re.compile("[&<>\"']").search
_PLAIN_CALLABLES = frozenset({FunctionType, MethodType, BuiltinFunctionType})


def escape_output(value: Any) -> str:
    """What ``markupsafe.escape`` gives, as text that is about to be joined and need not be marked."""
    kind = value.__class__
    if kind is str:
        return escape(value) if _SPECIAL(value) else value
    return value if kind is Markup else escape(value)


class RuntimeCodeGenerator(CodeGenerator):
    """Leaves every expression to the rendering, and escapes what is printed with ``escape_output``.

    Jinja computes constant expressions when it compiles. ``{{ 1234|number }}`` depends on the reader's
    language, so the first language to be rendered would end up in the compiled template and in the bytecode
    folder.
    """

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:
        """Compile a template; its code says whether it has macros only."""
        super().visit_Template(node, frame)
        self.writeline(f"only_macros = {_has_only_macros(node)}")

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: Any) -> str:
        if isinstance(node, (nodes.TemplateData, nodes.Const)):
            return super()._output_child_to_const(node, frame, finalize)
        raise nodes.Impossible()

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("environment.escape_output(")


def _has_only_macros(tree: nodes.Template) -> bool:
    """Whether running a template makes macros and does nothing else, and they change nothing that they share."""
    return all(_is_macro_or_text(node) for node in tree.body) and not any(tree.find_all(nodes.EvalContextModifier))


def _is_macro_or_text(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Output):
        return all(isinstance(part, nodes.TemplateData) for part in node.nodes)
    return isinstance(node, nodes.Macro)


class QuickContext(Context):
    """Jinja's context, which calls functions that want nothing of it at a third of the cost."""

    @internalcode
    def call(self, function: Any, /, *args: Any, **named: Any) -> Any:
        """Call what a template calls."""
        kind = function.__class__
        if kind is Macro:
            args = (self.eval_ctx, *args)
        elif kind not in _PLAIN_CALLABLES or hasattr(function, "jinja_pass_arg"):
            return super().call(function, *args, **named)
        named.pop("_block_vars", None)
        named.pop("_loop_vars", None)
        try:
            return function(*args, **named)
        except StopIteration:
            return self.environment.undefined("the value is undefined, because a function raised StopIteration")


class FreshTemplate(jinja2.Template):
    """Runs an imported template for each importer, unless it has macros only.

    Jinja runs ``{% import %}`` (and ``include without context``) once and keeps the module for ever: a
    ``{% set label = _("Read more") %}`` in it would stay in the first page's language, and what it reads
    would be recorded for the first page only. Macros read when they are called, so a module of nothing else is kept
    while the environment is frozen.
    """

    only_macros: bool = False

    @classmethod
    def _from_namespace(cls, environment: Any, namespace: Any, globals: Any) -> FreshTemplate:
        template: FreshTemplate = super()._from_namespace(environment, namespace, globals)  # type: ignore[assignment] # of cls
        template.only_macros = namespace["only_macros"]
        return template

    def new_context(
        self, vars: dict[str, Any] | None = None, shared: bool = False, locals: Mapping[str, Any] | None = None
    ) -> Context:
        """Jinja's, with the globals in one dict: a ``ChainMap`` is read name by name."""
        own, every = self.globals.maps  # type: ignore[attr-defined] # ``make_globals`` chains two
        names = {**every, **own}
        return new_context(self.environment, self.name, self.blocks, vars, shared, names, locals)

    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        keys = ctx.globals_keys.difference(*self.globals.maps) if ctx is not None else set()  # type: ignore[attr-defined] # as above
        modules = self.environment.modules  # type: ignore[attr-defined] # a TemplateEnvironment
        if keys or modules is None or not self.only_macros:
            return self.make_module({key: ctx.parent[key] for key in keys} if ctx is not None else None)
        found: TemplateModule | None = modules.get(self)
        if found is None:
            found = modules[self] = self.make_module()
        return found
