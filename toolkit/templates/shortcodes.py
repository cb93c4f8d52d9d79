"""Shortcodes: ``{{< figure src="flood.jpg" >}}`` in a text becomes what a template makes of it.

Written as Hugo writes them. ``{{< name args >}}`` stands alone; ``{{< name >}}…{{< /name >}}`` has a body,
which is Markdown. Arguments are words, ``"quoted"`` or named (``key="value"``); ``{{</* name */>}}`` shows
itself. Inside code they are left as they are written, so that a text can explain them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import jinja2
from markupsafe import Markup

from toolkit.errors import ContentError, did_you_mean

OPEN, CLOSE = "\ue000", "\ue001"
"""Private characters around a shortcode's number while its text passes through Markdown."""

FOLDER = "shortcodes/"

_TAG = re.compile(
    r"\{\{<\s*(?P<inner>(?:\"(?:[^\"\\]|\\.)*\"|`[^`]*`|[^\"`>{]|\{(?!\{<)|>(?!\}\}))*?)\s*>\}\}", re.DOTALL
)
LONGEST_TAG = 4_000
"""Characters. What is not closed by then is text: looking further from each ``{{<`` would take for ever."""

_SHOWN = re.compile(r"\{\{<(/\*.*?\*/)>\}\}", re.DOTALL)
_NAME = re.compile(r"(?P<close>/\s*)?(?P<name>[A-Za-z][\w/-]*)")
_ARGUMENT = re.compile(
    r"\s+(?:(?P<key>[A-Za-z_][\w-]*)\s*=\s*)?(?P<value>\"(?:[^\"\\]|\\.)*\"|`[^`]*`|[^\s\"`=]+(?![^\s\"`=])(?!\s*=))",
    re.DOTALL,
)
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Shortcode:
    """One shortcode of a text.

    Args:
        name: Which one, such as ``"figure"``.
        args: Its positional arguments: text, int, float or bool.
        params: Its named arguments.
        body: What stands between it and its end, as written; None when it stands alone.
        source: All of it as written.
        line: Its line in the file, from 1.
    """

    name: str
    args: tuple[Any, ...] = ()
    params: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    body: str | None = None
    source: str = ""
    line: int = 1


@dataclass(slots=True)
class _Opened:
    """A tag whose end may still come."""

    name: str
    inner: str
    start: int
    end: int
    alone: bool


RenderShortcode = Callable[[Shortcode, Markup], str]
"""Makes HTML of a shortcode, given its body rendered (empty when it stands alone)."""


def take_shortcodes(text: str, *, path: str | None = None, line: int = 1) -> tuple[str, list[Shortcode]]:
    """The text with a number in the place of each shortcode, and the shortcodes by number.

    A shortcode inside another's body stays in that body.

    Args:
        text: Markdown.
        path: Its file, for messages.
        line: Its first line in that file.

    Raises:
        ContentError: A tag that cannot be read, or an end without a beginning.
    """
    found = _spans(text, path=path, line=line)
    pieces: list[str] = []
    shortcodes: list[Shortcode] = []
    done = 0
    for tag, start, end, body in found:
        here = line + text.count("\n", 0, start)
        args, params = _arguments(tag, path=path, line=here)
        pieces += [_visible(text[done:start]), f"{OPEN}{len(shortcodes)}{CLOSE}"]
        shortcodes.append(Shortcode(tag.name, args, MappingProxyType(params), body, text[start:end], here))
        done = end
    return "".join([*pieces, _visible(text[done:])]), shortcodes


def template_shortcodes(environment: jinja2.Environment) -> RenderShortcode:
    """Shortcodes that are templates: ``shortcodes/NAME.html``, traced like any other.

    The template gets ``args``, ``params``, each named argument that is a Python name, ``body`` (HTML) and
    ``source`` (the body as written).
    """

    def render(shortcode: Shortcode, body: Markup) -> str:
        name = f"{FOLDER}{shortcode.name}.html"
        try:
            template = environment.get_template(name)
        except jinja2.TemplateNotFound:
            known = [
                found.removeprefix(FOLDER).removesuffix(".html")
                for found in environment.list_templates()
                if found.startswith(FOLDER)
            ]
            raise ContentError(
                f"there is no shortcode {shortcode.name!r}",
                line=shortcode.line,
                hint=did_you_mean(shortcode.name, known) or f"Make the template {name}.",
            ) from None
        named = {key: value for key, value in shortcode.params.items() if key.isidentifier()}
        own = {"args": shortcode.args, "params": shortcode.params, "body": body}
        return template.render({**named, **own, "source": shortcode.body or ""})

    return render


def _spans(text: str, *, path: str | None, line: int) -> list[tuple[_Opened, int, int, str | None]]:
    """The outermost shortcodes: their opening tag, where they begin and end, and their body."""
    opened: list[_Opened] = []
    done: list[tuple[_Opened, int, int, str | None]] = []
    for match in _tags(text):
        if match["inner"].startswith("/*"):
            continue
        here = line + text.count("\n", 0, match.start())
        name = _NAME.match(match["inner"])
        if name is None:
            raise ContentError(f"a shortcode has no name: {match[0]!r}", path=path, line=here)
        if not name["close"]:
            inner = match["inner"][name.end() :]
            alone = inner.endswith("/") and not inner.endswith("=/")
            inner = inner.removesuffix("/") if alone else inner
            opened.append(_Opened(name["name"], inner, match.start(), match.end(), alone))
            continue
        waiting = [index for index, tag in enumerate(opened) if tag.name == name["name"] and not tag.alone]
        if not waiting:
            raise ContentError(f"shortcode {name['name']!r} ends here and never began", path=path, line=here)
        tag = opened[waiting[-1]]
        del opened[waiting[-1] :]
        done = [span for span in done if span[1] < tag.start]
        done.append((tag, tag.start, match.end(), text[tag.end : match.start()]))
    alone = [(tag, tag.start, tag.end, None) for tag in opened]
    return sorted([*done, *alone], key=lambda span: span[1])


def _tags(text: str) -> Iterator[re.Match[str]]:
    position = text.find("{{<")
    while position >= 0:
        match = _TAG.match(text, position, position + LONGEST_TAG)
        if match is not None:
            yield match
        position = text.find("{{<", match.end() if match else position + 3)


def _arguments(tag: _Opened, *, path: str | None, line: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
    args: list[Any] = []
    params: dict[str, Any] = {}
    position = 0
    while tag.inner[position:].strip():
        match = _ARGUMENT.match(tag.inner, position)
        if match is None:
            rest = tag.inner[position:].strip()
            raise ContentError(
                f"shortcode {tag.name!r} has an argument that cannot be read: {rest!r}",
                path=path,
                line=line,
                hint='Write key="value".',
            )
        position = match.end()
        if match["key"] is None:
            args.append(_value(match["value"]))
        elif match["key"] in params:
            raise ContentError(f"shortcode {tag.name!r} has {match['key']!r} twice", path=path, line=line)
        else:
            params[match["key"]] = _value(match["value"])
    return tuple(args), params


def _value(written: str) -> Any:
    if written[0] == "`":
        return written[1:-1]
    if written[0] == '"':
        return re.sub(r"\\(.)", r"\1", written[1:-1], flags=re.DOTALL)
    if written in ("true", "false"):
        return written == "true"
    if _NUMBER.fullmatch(written):
        return float(written) if "." in written else int(written)
    return written


def _visible(text: str) -> str:
    """``{{</* name */>}}`` as ``{{< name >}}``."""
    return _SHOWN.sub(lambda match: "{{<" + match[1][2:-2] + ">}}", text) if "{{</*" in text else text
