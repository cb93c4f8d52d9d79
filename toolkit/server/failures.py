"""What is shown when something went wrong: a plain page to readers, the whole letter to editors."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any

from toolkit.errors import Problems, ToolkitError
from toolkit.pages.context import RELOAD_PATH
from toolkit.server.answers import Answer, html_answer
from toolkit.text import escape_attribute, escape_html
from toolkit.trace import digest

LINES_AROUND = 5

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 64rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere }
h1 { font-size: 1.4rem; line-height: 1.3; white-space: pre-wrap }
h2 { font-size: 1rem; margin: 2rem 0 .5rem }
.hint { border-inline-start: .25rem solid #b3261e; padding-inline-start: 1rem }
pre { overflow-x: auto; padding: .75rem; border: 1px solid #8886; border-radius: .25rem }
mark { background: #b3261e33; color: inherit; display: block; font-weight: 600 }
small, .where { opacity: .75 }
"""

_PROBLEM_PAGE = f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{{title}}</title>
<style>{_STYLE.replace("{", "{{").replace("}", "}}")}</style>
<script src="{{script}}" data-failed="{{token}}" defer></script>
</head>
<body>
{{body}}
</body>
</html>
"""


def plain_page(status: int) -> Answer:
    """A page for sites that have none of their own for a status."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Error"
    return html_answer(status, f"<!doctype html>\n<html lang=en>\n<title>{phrase}</title>\n<h1>{phrase}</h1>\n")


def problem_page(error: Exception, path: str, *, site: Any) -> Answer:
    """What went wrong with a page, for the people who make it. It reloads when something changes.

    Args:
        error: What was raised.
        path: The page's URL path.
        site: The site, whose folder is left out of file names.
    """
    problems = error.problems if isinstance(error, Problems) else [error]
    title = error.message if isinstance(error, Problems) else _title(error)
    parts = [f"<p><small>{escape_html(path)} cannot be shown</small></p>", f"<h1>{escape_html(title)}</h1>"]
    for problem in problems:
        parts += _letter(problem, site.folder, alone=not isinstance(error, Problems))
    parts += _templates(error, site.folder)
    parts += _python(error)
    body = "\n".join(parts)
    script = escape_attribute(site.base_path + RELOAD_PATH)
    names = {"title": escape_html(title[:80]), "script": script, "token": failure_token(error), "body": body}
    return html_answer(500, _PROBLEM_PAGE.format(**names))


def failure_token(error: Exception) -> str:
    """Stands for what went wrong: a preview reloads when something else goes wrong, or nothing."""
    return f"failed-{digest(str(error)).hex()}"


def _title(error: Exception) -> str:
    return error.message if isinstance(error, ToolkitError) else f"{type(error).__name__}: {error}"


def _letter(error: Exception, folder: Path, *, alone: bool) -> Iterator[str]:
    """Where it is, the lines around it, and the next step."""
    if not alone:
        yield f"<h2>{escape_html(_title(error))}</h2>"
    if not isinstance(error, ToolkitError):
        return
    if error.where:
        yield f'<p class="where">{escape_html(_short(error.where, folder))}</p>'
    if error.hint:
        yield f'<p class="hint">{escape_html(error.hint)}</p>'
    if error.path is not None and error.line is not None:
        yield from excerpt(Path(folder, error.path), error.line)


def excerpt(path: Path, line: int) -> Iterator[str]:
    """The lines of a text file around one, which is marked; nothing if it cannot be read."""
    try:
        lines = path.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return
    first = max(line - LINES_AROUND, 1)
    shown = []
    for number, text in enumerate(lines[first - 1 : line + LINES_AROUND], first):
        row = f"{number:>5}  {escape_html(text)}"
        shown.append(f"<mark>{row}</mark>" if number == line else f"{row}\n")
    if shown:
        yield f"<pre>{''.join(shown)}</pre>"


def _templates(error: BaseException, folder: Path) -> Iterator[str]:
    """The templates on the way, outermost first."""
    frames: list[tuple[str, int, str]] = []
    source: BaseException | None = error
    while source is not None and not frames:
        frames = [_step(step) for step in _steps(source) if "__jinja_exception__" in step.tb_frame.f_globals]
        source = source.__cause__
    if not frames:
        return
    yield "<h2>Templates on the way</h2>\n<ol>"
    for path, line, part in frames:
        yield f"<li>{escape_html(f'{_short(path, folder)}:{line}')} <small>{escape_html(part)}</small></li>"
    yield "</ol>"


def _steps(error: BaseException) -> Iterator[TracebackType]:
    step = error.__traceback__
    while step is not None:
        yield step
        step = step.tb_next


def _step(step: TracebackType) -> tuple[str, int, str]:
    """File, line and part of a template's frame, as Jinja rewrote it."""
    code = step.tb_frame.f_code
    return code.co_filename, step.tb_lineno, code.co_name


def _python(error: Exception) -> Iterator[str]:
    """Python's own account, of an error that is none of ours."""
    source: BaseException | None = error
    while isinstance(source, ToolkitError):
        source = source.__cause__
    if source is not None:
        text = "".join(traceback.format_exception(source))
        yield f"<h2>Python's traceback</h2>\n<pre>{escape_html(text)}</pre>"


def _short(place: str, folder: Path) -> str:
    return place.removeprefix(f"{folder}/")
