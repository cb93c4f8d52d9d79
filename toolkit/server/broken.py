"""What a preview shows while the site's own code cannot be imported: the error, until it is mended."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

from toolkit.pages.context import RELOAD_PATH
from toolkit.server.answers import Answer, send, text_answer
from toolkit.server.failures import failure_token, problem_page
from toolkit.server.paths import BadPath, from_root, request_path
from toolkit.server.reload import WAIT_PATH, script_answer
from toolkit.server.views import is_trusted, trusted_hosts

_log = logging.getLogger("toolkit.server")


class BrokenSite:
    """Stands where the application would: it is replaced as soon as a source file is saved.

    Args:
        error: Why there is no application.
        site: The site as it was before.
    """

    def __init__(self, error: Exception, *, site: Any) -> None:
        self.error = error
        self.site = site
        self._hosts = trusted_hosts(site)
        _log.error("The site cannot be loaded: %s", error, exc_info=error)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return send(self._answer(environ), environ, start_response)

    def _answer(self, environ: dict[str, Any]) -> Answer:
        environ = from_root(environ, self.site.base_path) or environ
        try:
            path = request_path(environ)
        except BadPath as error:
            return text_answer(400, f"Bad request: {error}")
        if not is_trusted(environ.get("HTTP_HOST", ""), self._hosts):
            return text_answer(400, "Not a host of this site.")
        if path == RELOAD_PATH:
            return script_answer()
        if path == WAIT_PATH:
            return self._wait(parse_qs(environ.get("QUERY_STRING", "")))
        return problem_page(self.error, path, site=self.site)

    def _wait(self, query: Mapping[str, list[str]]) -> Answer:
        """200 for a page that does not show this error yet; 503 for one that does.

        After 503 the script asks again in a second; by then another process may answer.
        """
        if query.get("token", [""])[0] != failure_token(self.error):
            return text_answer(200, "changed")
        return text_answer(503, "The site cannot be loaded.")
