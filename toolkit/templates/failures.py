"""Whatever goes wrong in a template, told as a letter: the template's line, the way there, what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import FrameType, TracebackType
from typing import Any

import jinja2
import msgspec
from jinja2.debug import get_template_locals

from toolkit.errors import TemplateError, ToolkitError, did_you_mean

from .undefined import describe

_UNKNOWN = re.compile(r"No (?P<kind>filter|test) named '(?P<name>[^']*)'|Encountered unknown tag '(?P<tag>[^']*)'")
SHOWN_CALLERS = 6
"""How many templates of the way to an error are named; a template that includes itself has a thousand."""


class TemplateFrame(msgspec.Struct, frozen=True):
    """One template at work when an error was raised.

    Args:
        name: The template's name.
        path: Its file, or ``<template>`` for one made from a string.
        line: The line at work, from 1.
        part: What of it was at work: ``"template"``, ``"block content"``, ``"macro card"``.
        names: The names in reach there.
        via: How the next frame was reached from here: ``"extended by"``, ``"block of"``, ``"included from"``
            or ``"called from"``; empty on the innermost.
    """

    name: str
    path: str
    line: int
    part: str
    names: Mapping[str, Any]
    via: str = ""

    @property
    def place(self) -> str:
        """``base.html:12``"""
        return f"{self.name}:{self.line}"


def template_frames(traceback: TracebackType | None) -> list[TemplateFrame]:
    """The templates on the way to an error, outermost first."""
    stack = [
        (template, step.tb_frame, step.tb_lineno)
        for step in _steps(traceback)
        if (template := _template_of(step.tb_frame)) is not None
    ]
    followers = [frame for _, frame, _ in stack[1:]]
    return [
        _frame_of(template, frame, line, followers[index] if index < len(followers) else None)
        for index, (template, frame, line) in enumerate(stack)
    ]


def template_error(error: Exception, *, known: Mapping[str, Iterable[str]] | None = None) -> TemplateError:
    """The letter about an error that was raised while a template was compiled or rendered.

    Args:
        error: What was raised, with its traceback.
        known: For "did you mean", the names there are of each ``template``, ``filter``, ``test``, ``tag``.
    """
    known = known or {}
    frames = template_frames(error.__traceback__)
    if isinstance(error, jinja2.TemplateSyntaxError):
        return _syntax_letter(error, frames, known)
    if isinstance(error, ToolkitError) and error.path is not None:
        return _retold(error, frames)
    here = frames[-1] if frames else None
    message, hint = _what(error, here, known.get("template", ()))
    return TemplateError(
        message + _way(frames[:-1]),
        path=here.path if here else None,
        line=here.line if here else None,
        url=getattr(error, "url", None),
        hint=hint or None,
    )


def _what(error: Exception, here: TemplateFrame | None, names: Iterable[str]) -> tuple[str, str]:
    if isinstance(error, jinja2.TemplateNotFound):
        return _not_found(error, names)
    if isinstance(error, jinja2.exceptions.UndefinedError):
        return describe(error, here.names if here else {})
    if isinstance(error, ToolkitError):
        return error.message, error.hint or ""
    if isinstance(error, jinja2.TemplateRuntimeError):
        return (error.message or "the template failed").rstrip("."), ""
    if isinstance(error, RecursionError):
        return "the template includes or calls itself without end", "Give it a condition that ends it."
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__, ""


def _not_found(error: jinja2.TemplateNotFound, names: Iterable[str]) -> tuple[str, str]:
    wanted = [str(name) for name in getattr(error, "templates", None) or [error.name] if isinstance(name, str)]
    if not wanted:
        return (error.message or "no template was named").rstrip("."), ""
    hint = did_you_mean(wanted[0], names)
    if len(wanted) == 1:
        return f"there is no template {wanted[0]!r}", hint
    return "there is none of the templates " + ", ".join(repr(name) for name in wanted), hint


def _syntax_letter(
    error: jinja2.TemplateSyntaxError, frames: list[TemplateFrame], known: Mapping[str, Iterable[str]]
) -> TemplateError:
    message = (error.message or "the template cannot be compiled").rstrip(".")
    hint = ""
    unknown = _UNKNOWN.match(message)
    if unknown:
        kind, name = (unknown["kind"], unknown["name"]) if unknown["kind"] else ("tag", unknown["tag"])
        hint = did_you_mean(name, known.get(kind, ()))
        if (hint.startswith("Did you mean") and not name.startswith("end")) or kind != "tag":
            message = f"there is no {kind} {name!r}"
        else:
            hint = ""
    place = error.filename or error.name or "<template>"
    return TemplateError(message + _way(frames), path=place, line=error.lineno, hint=hint or None)


def _retold(error: ToolkitError, frames: list[TemplateFrame]) -> TemplateError:
    """An error that already knows its place, such as a nested template's: keep it and add the way there."""
    return TemplateError(
        error.message + _way(frames),
        path=error.path,
        line=error.line,
        column=error.column,
        row=error.row,
        url=error.url,
        hint=error.hint,
    )


def _way(callers: list[TemplateFrame]) -> str:
    """`` (included from base.html:12, extended by story.html:1)``, innermost first."""
    steps = [f"{frame.via or 'from'} {frame.place}" for frame in reversed(callers)]
    if len(steps) > SHOWN_CALLERS:
        steps[SHOWN_CALLERS:] = [f"and {len(steps) - SHOWN_CALLERS} more"]
    return f" ({', '.join(steps)})" if steps else ""


def _steps(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _template_of(frame: FrameType) -> jinja2.Template | None:
    """The template whose compiled code runs in a frame (Jinja leaves it among the globals)."""
    template = frame.f_globals.get("__jinja_template__")
    return template if isinstance(template, jinja2.Template) else None


def _frame_of(template: jinja2.Template, frame: FrameType, line: int, follower: FrameType | None) -> TemplateFrame:
    return TemplateFrame(
        name=template.name or "<template>",
        path=template.filename or "<template>",
        line=template.get_corresponding_lineno(line),
        part=_part_of(frame),
        names=get_template_locals(frame.f_locals),
        via=_via(frame, follower) if follower is not None else "",
    )


def _part_of(frame: FrameType) -> str:
    function = frame.f_code.co_name
    if function == "root":
        return "template"
    return "block " + function[6:] if function.startswith("block_") else function


def _via(frame: FrameType, follower: FrameType) -> str:
    function = follower.f_code.co_name
    if function.startswith("block_"):
        return "block of"
    if function != "root":
        return "called from"
    parent = frame.f_locals.get("parent_template")
    return "extended by" if parent is not None and parent is _template_of(follower) else "included from"
