"""Custom tags: a Python function becomes a template tag.

A function with a parameter named ``content`` is a block tag and gets what stands between the tag and its end;
a first parameter named ``context`` gets the template's context. All else is written in the tag::

    def pullquote(content: Markup, by: str = "") -> Markup:
        return Markup("<blockquote>{}<cite>{}</cite></blockquote>").format(content, by)

    {% pullquote by=story.author.name %}We kept the pumps running.{% endpullquote %}

Arguments are checked against the signature when the template is compiled. What a tag returns is escaped
unless it is ``Markup``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from markupsafe import Markup

from toolkit.errors import did_you_mean

from .arguments import parse_arguments

HANDED_OVER = ("context", "content")


class CustomTags(Extension):
    """The Jinja extension that knows an environment's ``custom_tags``."""

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.functions: dict[str, Callable[..., object]] = getattr(environment, "custom_tags", {})
        self.tags = set(self.functions)

    def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
        """Read ``{% tag argument, name=value %}``, and the body of a block tag."""
        token = next(parser.stream)
        name, line = token.value, token.lineno
        args, kwargs = parse_arguments(parser)
        self._check(parser, name, line=line, count=len(args), keywords=[keyword.key for keyword in kwargs])
        given = [nodes.Const(name), nodes.DerivedContextReference(), *args]
        call = self.call_method("call", given, kwargs, lineno=line)
        if not is_block(self.functions[name]):
            return nodes.Output([call], lineno=line)
        body = parser.parse_statements((f"name:end{name}",), drop_needle=True)
        return nodes.CallBlock(call, [], [], body, lineno=line)

    def call(self, name: str, context: Any, *args: Any, caller: Any = None, **kwargs: Any) -> object:
        """What the compiled tag does."""
        function = self.functions[name]
        parameters = inspect.signature(function).parameters
        if "context" in parameters:
            kwargs["context"] = context
        if caller is not None:
            kwargs["content"] = Markup(caller())  # noqa: S704 - the template escaped it
        names = [parameter for parameter in parameters if parameter not in HANDED_OVER]
        return function(**dict(zip(names, args, strict=False)), **kwargs)

    def _check(self, parser: Parser, name: str, *, line: int, count: int, keywords: list[str]) -> None:
        parameters = {
            parameter.name: parameter
            for parameter in inspect.signature(self.functions[name]).parameters.values()
            if parameter.name not in HANDED_OVER
        }
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
            return
        if count > len(parameters):
            parser.fail(f"tag {name!r} takes {len(parameters)} arguments, {count} were given", line)
        given = {*list(parameters)[:count], *keywords}
        for keyword in keywords:
            if keyword not in parameters:
                parser.fail(f"tag {name!r} has no argument {keyword!r}. {did_you_mean(keyword, parameters)}", line)
        for parameter in parameters.values():
            if parameter.default is parameter.empty and parameter.name not in given:
                parser.fail(f"tag {name!r} needs the argument {parameter.name!r}", line)


def is_block(function: Callable[..., object]) -> bool:
    """Whether a tag has a body."""
    return "content" in inspect.signature(function).parameters
