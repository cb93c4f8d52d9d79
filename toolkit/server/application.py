"""The site as a WSGI application: the same pages as the build's, on demand."""

from __future__ import annotations

import contextlib
import logging
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from werkzeug.exceptions import HTTPException

from toolkit.assets import FoundAsset
from toolkit.errors import DatabaseError, DatabaseUnavailable, NotFound, StorageError, ToolkitError, ValidationError
from toolkit.http.compression import is_text_path
from toolkit.http.shortcuts import UNSAFE_REDIRECT
from toolkit.images.store import Recipe
from toolkit.pages import Match
from toolkit.server.answers import PRIVATE, Answer, Passed, not_allowed, redirect_answer, send, text_answer
from toolkit.server.failures import plain_page, problem_page
from toolkit.server.files import Files, asset_answer, rendition_answer, text_file_answer
from toolkit.server.packing import Packer
from toolkit.server.pages import Pages
from toolkit.server.paths import BadPath, encoded, from_root, location, request_path, tidier_paths
from toolkit.server.redirects import Redirects, answer_of
from toolkit.server.reload import Reloader
from toolkit.server.shown import Shown, hides_rows
from toolkit.server.uses import RENDITION
from toolkit.server.views import LOOPBACK, SAFE, call_view, is_trusted, trusted_hosts
from toolkit.server.witnesses import Witnesses
from toolkit.site.headers import IMMUTABLE, REVOCABLE, SECURITY, HeaderRules, site_headers, stored_headers
from toolkit.site.public import PublicFolder
from toolkit.site.stored import is_shown
from toolkit.text.media_types import content_type
from toolkit.trace import PREVIEW, READER, Viewer

_log = logging.getLogger("toolkit.server")

READING = ("GET", "HEAD", "OPTIONS")


class Application:
    """Answers HTTP for one site.

    Args:
        site: A prepared site.
        viewer: Who looks; by default a reader, or in a preview an editor.
        preview: Show drafts, tell what went wrong, and reload the browser when its page changes.
    """

    def __init__(self, site: Any, *, viewer: Viewer | None = None, preview: bool = False) -> None:
        self.site = site.prepare()
        self.preview = preview
        self.viewer = viewer or (PREVIEW if preview else READER)
        self.rules = site_headers(self.site)
        witnesses = Witnesses(site.state_folder / "shown-1.db")
        told = witnesses if self.viewer.restricted and hides_rows(site) else None
        self.pages = Pages(site, viewer=self.viewer, preview=preview, rules=self.rules, witnesses=told)
        self.shown = Shown(site, self.pages, witnesses)
        self.redirects = Redirects(
            self.site, self.pages.find_redirect, lambda url: self._url_at(unquote(url)) is not None
        )
        self.files = Files()
        site.images.remembers = True
        kinds = site.settings.peek("precompress")
        self.packer = Packer(kinds) if kinds else None
        self.public = PublicFolder(site.folder / site.settings.peek("public"))
        self.reloader = Reloader(site, self.pages) if preview else None
        self._hosts = trusted_hosts(site)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            inside = from_root(environ, self.site.base_path)
            if inside is None:
                answer: Answer | Passed = self._outside(environ)
            else:
                environ = inside
                answer = self._answer(environ)
            if isinstance(answer, Answer) and self.packer is not None:
                answer = self.packer.packed(answer, environ)
            return send(answer, environ, start_response)
        finally:
            self.site.databases.release()

    def close(self) -> None:
        """End what a preview started, its watching and the requests that wait for a change; close files."""
        self.shown.witnesses.close()
        if self.reloader is not None:
            self.reloader.close()

    # one request

    def _outside(self, environ: dict[str, Any]) -> Answer:
        """What is asked for is not below the path of ``base_url``: at the root, as people type it, lead there."""
        base_path = self.site.base_path
        path = str(environ.get("SCRIPT_NAME", "")) + str(environ.get("PATH_INFO", ""))
        if path == base_path:
            return redirect_answer(308, location({**environ, "SCRIPT_NAME": ""}, f"{base_path}/"))
        return redirect_answer(302, f"{base_path}/") if path in ("", "/") else self._not_found("/")

    def _answer(self, environ: dict[str, Any]) -> Answer | Passed:
        path = "/"
        try:
            path = request_path(environ)
            if environ["REQUEST_METHOD"] in ("GET", "HEAD") and self.reloader is None:
                entry = self.pages.find_fresh(path)
                if entry is not None:
                    return entry.answer
            return self._look(environ, path)
        except BadPath as error:
            return text_answer(400, f"Bad request: {error}")
        except NotFound:
            return self._not_found(path)
        except HTTPException as error:
            return self._refused(error, environ, path)
        except Exception as error:  # noqa: BLE001 - whatever it is, the reader gets an answer
            return self._failed(error, environ, path)

    def _look(self, environ: dict[str, Any], path: str) -> Answer | Passed:
        if self.reloader is not None:
            if not is_trusted(environ.get("HTTP_HOST", ""), self._hosts):
                return self._wrong_host(environ)
            answer = self.reloader.answer(environ, path)
            if answer is not None:
                return answer
        found = self._find_page(environ, path)
        if found is None:
            found = self._find_file(environ, path)
            found = found if self.preview else _dressed(found, path, self.rules)
        if found is None:
            found = self._find_elsewhere(environ, path)
        if found is None:
            raise NotFound(f"nothing is published at {path}")
        return found

    def _find_page(self, environ: dict[str, Any], path: str) -> Answer | Passed | None:
        """What a page or a view answers; None if there is neither."""
        method = environ["REQUEST_METHOD"]
        if method not in SAFE:
            match = self.pages.match(path)
            return self._act(match, environ, path) if match is not None else None
        found = self.pages.find(path)
        if isinstance(found, Match):
            if found.page is not None:  # a way to write its URL that is not the one it is published at
                return redirect_answer(308, location(environ, found.page.url))
            return self._act(found, environ, path)
        if found is None:
            return None
        if self.reloader is not None:
            self.reloader.served(path, found)
        return found.answer if method != "OPTIONS" else Answer(204, (("Allow", ", ".join(READING)),))

    def _act(self, match: Match, environ: dict[str, Any], path: str) -> Answer | Passed:
        """Run a view; refuse other methods than reading of a page."""
        if match.page is not None:
            return not_allowed(READING)
        return call_view(match, self.pages.view_plan(), environ, path, files=self.files, lend=self.shown.lend)

    def _find_file(self, environ: Mapping[str, Any], path: str) -> Answer | Passed | None:
        """An asset, a file of the public folder, or a part of a sitemap."""
        rendition = self._find_rendition(environ, path)
        if rendition is not None:
            return rendition
        asset, cache = self._find_asset(environ, path)
        if asset is None:
            public = self.public.find(path)
            if public is None and (stored := self._find_stored(path)) is not None:
                return self._send_stored(environ, stored)
            part = self.pages.find_attachment(path) if public is None else None
            if public is None and part is None:
                return None
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return not_allowed(("GET", "HEAD"))
        if asset is not None:
            return asset_answer(self.files, environ, asset, cache=cache, packs=self._packs(environ, asset.path))
        if public is None:
            return part
        if self._packs(environ, public.name):
            return text_file_answer(public)
        return self.files.send(environ, public)

    def _find_asset(self, environ: Mapping[str, Any], path: str) -> tuple[FoundAsset | None, str]:
        """A static file that the viewer may see, and how it may be kept."""
        asset = self.site.assets.find(path)
        cache = self.shown.cache_of(asset.path, environ) if asset is not None else None
        return (asset, cache) if cache is not None else (None, "")

    def _packs(self, environ: Mapping[str, Any], path: str) -> bool:
        """Whether a file is to be sent compressed: a text, asked for as a whole."""
        return self.packer is not None and is_text_path(path) and "HTTP_RANGE" not in environ

    def _send_stored(self, environ: Mapping[str, Any], place: Path) -> Answer | Passed:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return not_allowed(("GET", "HEAD"))
        return self.files.send(environ, place, headers=stored_headers(content_type(place.name)))

    def _find_rendition(self, environ: Mapping[str, Any], path: str) -> Answer | None:
        """An image in a size and format in which a page that the viewer may see showed it."""
        public = REVOCABLE if self.shown.hides else IMMUTABLE
        for recipe in self.site.images.find_recipes(path):
            if not self._may_see(recipe, environ):
                continue
            if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
                return not_allowed(("GET", "HEAD"))
            cache = public if self.viewer.restricted else PRIVATE
            answer = rendition_answer(self.site.images, recipe, cache=cache)
            if answer is not None:
                return answer
        return None

    def _may_see(self, recipe: Recipe, environ: Mapping[str, Any]) -> bool:
        if not self.viewer.restricted:
            return True
        if recipe.kind == "stored":
            return is_shown(self.site, self.site.scope(viewer=self.viewer), recipe.storage, recipe.name)
        if not self.shown.hides:
            return recipe.public
        return self.shown.has((RENDITION, recipe.file), recipe.name, environ)

    def _find_stored(self, path: str) -> Path | None:
        """The file of a file field, if a row that the viewer sees has it."""
        found = self.site.storages.find(path)
        if found is None:
            return None
        storage, name = found
        try:
            place: Path = self.site.storages[storage].path(name)
        except StorageError:
            return None
        scope = self.site.scope(viewer=self.viewer)
        return place if place.is_file() and is_shown(self.site, scope, storage, name) else None

    def _find_elsewhere(self, environ: Mapping[str, Any], path: str) -> Answer | None:
        """A redirect to where it is: the tidy form of the path, or the page's newer URL."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return None
        normal = unicodedata.normalize("NFC", path)
        for other in [*([normal] if normal != path else []), *tidier_paths(normal)]:
            url = self._url_at(other)
            if url is not None:
                return redirect_answer(308, location(environ, url))
        moved = self.redirects.find(encoded(path), str(environ.get("QUERY_STRING", "")))
        if moved is None:
            return None
        if not moved.target:
            return self._error_page(moved.status, path) or plain_page(moved.status)
        return answer_of(moved, environ)

    def _url_at(self, path: str) -> str | None:
        """The encoded URL of what is at a path; None if nothing is."""
        match = self.pages.match(path)
        if match is not None:
            return match.page.url if match.page is not None else encoded(path)
        if self.public.find(path) is not None or self._find_asset({}, path)[0] is not None:
            return encoded(path)
        return None

    # when there is no answer

    def _not_found(self, path: str) -> Answer:
        return self._error_page(404, path) or plain_page(404)

    def _refused(self, error: HTTPException, environ: dict[str, Any], path: str) -> Answer | Passed:
        """A view, or Werkzeug for it, refused with a status: the site's page for it, if it has one."""
        status = error.code or 500
        if error.response is not None:
            return Passed(error.get_response(environ))
        own = self._error_page(status, path) or plain_page(status)
        headers = tuple((name, value) for name, value in error.get_headers(environ) if name.lower() != "content-type")
        return replace(own, headers=(*own.headers, *headers))

    def _failed(self, error: Exception, environ: dict[str, Any], path: str) -> Answer:
        if isinstance(error, ValidationError) and error.code == UNSAFE_REDIRECT:
            return self._error_page(400, path) or plain_page(400)
        _log.error("%s %s: %s", environ.get("REQUEST_METHOD"), path, error, exc_info=error)
        if isinstance(error, DatabaseError):
            self._reconnect()
        if self.reloader is not None:
            return problem_page(error, path, site=self.site)
        status = 503 if isinstance(error, DatabaseUnavailable) else 500  # it will be there again: RFC 9110, 15.6.4
        return self._error_page(status, path) or plain_page(status)

    def _reconnect(self) -> None:
        """Let this thread's next request open a connection anew: the old one may be of a server that is gone."""
        if not self.site.database.in_memory:
            with contextlib.suppress(Exception):
                self.site.databases.close()
            self.site.databases.forget()

    def _error_page(self, status: int, path: str) -> Answer | None:
        """The site's own page for a status; None if there is none, or it fails too."""
        try:
            return self.pages.find_error_page(status, path)
        except ToolkitError as error:
            _log.error("The page for errors %s failed: %s", status, error, exc_info=error)
            return None
        except Exception as error:  # noqa: BLE001 - nothing that fails here may keep the reader waiting
            _log.error("The page for errors %s failed: %s", status, error, exc_info=error)
            return None

    def _wrong_host(self, environ: Mapping[str, Any]) -> Answer:
        """Another site's name that leads here would let its scripts read the drafts (DNS rebinding)."""
        known = ", ".join(dict.fromkeys([*self._hosts, *LOOPBACK]))
        return text_answer(400, f"Not a host of this site: {environ.get('HTTP_HOST', '')!r}. Known are: {known}.")


def _dressed(found: Answer | Passed | None, path: str, rules: HeaderRules) -> Answer | Passed | None:
    """An answer with a file, its headers as the site's own rules say."""
    if not rules.own or found is None:
        return found
    if isinstance(found, Answer):
        return replace(found, headers=tuple(rules.apply(path, found.all_headers)), is_complete=True)
    response = found.application
    if response.status_code in (200, 206, 304):
        pairs = rules.apply(path, [*response.headers.items(), *SECURITY])
        response.headers.clear()
        response.headers.extend(pairs)
        return Passed(response, headers=())
    return found
