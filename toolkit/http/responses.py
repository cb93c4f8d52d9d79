"""What a view may answer with."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from werkzeug.wrappers import Response as BaseResponse

from toolkit.i18n.lazy import LazyFormat, LazyText
from toolkit.text import escape_attribute


class Response(BaseResponse):
    """A response; HTML unless another ``mimetype`` is given. Headers with line breaks are refused."""

    default_mimetype = "text/html"

    @classmethod
    def json(cls, data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """Data as JSON; dates as ISO 8601, decimals as text.

        Args:
            data: Dicts, lists, text, numbers, dates, UUIDs.
            status: HTTP status.
            headers: Further headers.

        Raises:
            TypeError: A value has no form in JSON.
        """
        text = json.dumps(data, default=_plain, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return cls(text, status=status, headers=dict(headers or {}), mimetype="application/json")

    @classmethod
    def template(cls, name: str, /, *, status: int = 200, **context: Any) -> TemplateResponse:
        """A template with this context; rendered by the server, with the names that every page's template has.

        Args:
            name: The template's name.
            status: HTTP status.
            context: Names for the template.
        """
        return TemplateResponse(name, context, status=status)

    @classmethod
    def file(
        cls, path: str | Path, *, content_type: str | None = None, download_name: str | None = None
    ) -> FileResponse:
        """A file, with an ETag and ranges.

        Args:
            path: The file. Never make it of what a reader sent.
            content_type: Media type; by the file's name if not given.
            download_name: The name under which browsers save it, instead of showing it.
        """
        return FileResponse(path, content_type=content_type, download_name=download_name)


class TemplateResponse(Response):
    """A template and its context, to be rendered by the server.

    Args:
        name: The template's name.
        context: Names for the template.
        status: HTTP status.
    """

    def __init__(self, name: str, context: Mapping[str, Any], *, status: int = 200) -> None:
        super().__init__(status=status)
        self.name = name
        self.context = dict(context)


class FileResponse(Response):
    """A file, to be sent by the server, which knows what the reader has of it.

    Args:
        path: The file.
        content_type: Media type; by the file's name if not given.
        download_name: The name under which browsers save it.
    """

    def __init__(self, path: str | Path, *, content_type: str | None = None, download_name: str | None = None) -> None:
        super().__init__()
        self.path = Path(path)
        self.file_type = content_type
        if download_name is not None:
            self.headers.set("Content-Disposition", "attachment", **_file_names(download_name))


class RedirectResponse(Response):
    """A redirect, with a link for the few who do not follow it.

    Args:
        location: Where to; a path is kept as it is (RFC 9110 §10.2.2 allows it), so no host is made up.
        status: 301, 302, 303, 307 or 308.
    """

    autocorrect_location_header = False

    def __init__(self, location: str, *, status: int) -> None:
        link = escape_attribute(location)
        super().__init__(f'<!doctype html>\n<title>Moved</title>\n<p>Moved <a href="{link}">here</a>.\n', status=status)
        self.headers["Location"] = location


def _file_names(name: str) -> dict[str, str]:
    """A file's name as parameters: ASCII for all, and as it is for those who read RFC 8187."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode() or "download"
    return {"filename": plain} if plain == name else {"filename": plain, "filename*": f"UTF-8''{quote(name, safe='')}"}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | UUID | LazyText | LazyFormat):
        return str(value)
    raise TypeError(f"{value!r} ({type(value).__name__}) has no form in JSON")
