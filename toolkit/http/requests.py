"""A request, as a view sees it."""

from __future__ import annotations

from io import BytesIO
from typing import IO, Any

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.wrappers import Request as BaseRequest

from toolkit.trace import READER, Viewer

SITE, LOCALE, VIEWER = "toolkit.site", "toolkit.locale", "toolkit.viewer"
"""Keys of the WSGI environment under which the server says what it knows."""


class FormParser(FormDataParser):
    """Werkzeug's, with its limits for forms without files too, which it reads whole."""

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> Any:
        """The stream, the fields and the files of a form.

        Raises:
            RequestEntityTooLarge: There are too many fields, or they are too long.
        """
        limit = self.max_form_memory_size
        if mimetype == "application/x-www-form-urlencoded" and limit is not None:
            body = stream.read(limit + 1)
            if len(body) > limit or body.count(b"&") >= (self.max_form_parts or len(body) + 1):
                raise RequestEntityTooLarge
            stream = BytesIO(body)
        return super().parse(stream, mimetype, content_length, options)


class Request(BaseRequest):
    """A request. ``args``, ``form``, ``files``, ``json``, ``cookies`` and ``headers`` are Werkzeug's.

    What is too large is refused with 413 as soon as the view reads it: a body over ``max_content_length`` bytes, a
    form with more than ``max_form_parts`` fields, or with more than ``max_form_memory_size`` bytes outside of files.
    Subclass it for other limits. A host that is not the site's is refused with 400 when the view asks for it.
    """

    form_data_parser_class = FormParser
    max_content_length: int | None = 16 * 1024 * 1024
    max_form_memory_size: int = 1024 * 1024
    max_form_parts: int = 1000

    @property
    def site(self) -> Any:
        """The site that answers (``toolkit.site.Site``); None outside of one."""
        return self.environ.get(SITE)

    @property
    def locale(self) -> str:
        """The language of the URL, such as ``"es"``; empty outside of a site."""
        return str(self.environ.get(LOCALE, ""))

    @property
    def viewer(self) -> Viewer:
        """Who looks; a reader unless the server knows better."""
        viewer: Viewer = self.environ.get(VIEWER, READER)
        return viewer
