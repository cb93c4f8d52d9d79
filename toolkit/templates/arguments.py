"""What is written in a tag: ``{% tag value, name=value %}``."""

from __future__ import annotations

from jinja2 import nodes
from jinja2.parser import Parser


def parse_arguments(parser: Parser) -> tuple[list[nodes.Expr], list[nodes.Keyword]]:
    """The values up to the end of a tag, and those with names."""
    args: list[nodes.Expr] = []
    kwargs: list[nodes.Keyword] = []
    while parser.stream.current.type != "block_end":
        parser.stream.skip_if("comma")
        if parser.stream.current.type == "name" and parser.stream.look().type == "assign":
            key = next(parser.stream)
            next(parser.stream)
            kwargs.append(nodes.Keyword(key.value, parser.parse_expression(), lineno=key.lineno))
        else:
            args.append(parser.parse_expression())
    return args, kwargs
