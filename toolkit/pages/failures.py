"""When a user's function fails: where it did, as an error of ours."""

from __future__ import annotations

from toolkit.errors import ToolkitError
from toolkit.pages.routes import Route


def function_failed(error: Exception, route: Route, *, url: str | None = None) -> ToolkitError:
    """The error to raise for whatever a page's function raised, at the line in the file that declares the page.

    Args:
        error: What it raised.
        route: Whose function it is.
        url: The page's URL, if a page was being rendered.
    """
    message = f"{route.name}() failed: {type(error).__name__}: {error}"
    path, line = _place(error, route)
    return ToolkitError(message, path=path, line=line, url=url)


def locate(error: ToolkitError, route: Route) -> None:
    """Give an error that says no place the line of the page's file that met it, else that of its declaration."""
    if error.path is None:
        error.path, error.line = _place(error, route)


def _place(error: Exception, route: Route) -> tuple[str, int]:
    path, line = route.declared_at
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == path:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return path, line
