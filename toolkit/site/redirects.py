"""Redirects: old paths with where they lead, which the server, the build and every host follow alike.

People write them down in a CSV file, or in rows of a model (``toolkit.site.redirecting``). A row of the file is
``from,to,status``. ``from`` is a path, with ``*`` at its end for everything below it, or with a query; ``to`` is a
path or a whole URL, in which ``:splat`` stands for what the ``*`` was; it is empty with the status 410.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from toolkit.errors import Problems, RouteError, ToolkitError, ValidationError, did_you_mean
from toolkit.text import to_uri

SPLAT = ":splat"
STATUSES = (301, 302, 303, 307, 308, 410)
COLUMNS = ("from", "to", "status")
LONGEST_CHAIN = 20

_TEMPORARY = frozenset({302, 303, 307})
_FOR_NOW = {301: 302, 308: 307}
_SAFE = "!$&'()*+,/:;=@~-._"
_SLASHES = re.compile(r"(?:[/\\]|%2f|%5c)+", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x20\x7f\\]")


@dataclass(frozen=True, slots=True)
class Redirect:
    """One old address.

    Args:
        source: An encoded path; ends in ``*`` for everything below it.
        target: An encoded path or a URL, perhaps with ``:splat``; empty for what is gone.
        status: 301, 302, 303, 307, 308 or 410.
        query: Parameters that the request must have, as ``id=5&page=2``.
        where: Who says so: ``redirects.csv:3``, ``moved`` or ``alias``.
    """

    source: str
    target: str
    status: int = 301
    query: str = ""
    where: str = ""

    @property
    def is_prefix(self) -> bool:
        """Whether it speaks of everything below a path."""
        return self.source.endswith("*")

    @property
    def is_external(self) -> bool:
        """Whether it leads to another site."""
        return not self.target.startswith("/")

    @property
    def prefix(self) -> str:
        """The path without the star."""
        return self.source.removesuffix("*")

    @property
    def is_to_root(self) -> bool:
        """Whether the splat stands at the root: if that began with a slash, it would name another site's host."""
        return self.target.startswith(f"/{SPLAT}")

    def match(self, path: str, query: str) -> str | None:
        """The target for a request, with the query that goes along; None if it speaks of another path."""
        if self.is_prefix:
            if not path.startswith(self.prefix):
                return None
        elif path != self.source:
            return None
        if self.query and not set(parse_qsl(self.query, True)) <= set(parse_qsl(query, True)):
            return None
        return self.with_query(self.target_of(path), query)

    def target_of(self, path: str) -> str:
        """The target for a path that it speaks of."""
        if not self.is_prefix:
            return self.target
        rest = path[len(self.prefix) :]
        return self.target.replace(SPLAT, rest[_slashes(rest) :] if self.is_to_root else rest)

    def with_query(self, target: str, query: str) -> str:
        """A target with the query of the request, unless one of both speaks of queries itself."""
        if not query or self.query or not target or "?" in target:
            return target
        before, mark, fragment = target.partition("#")
        return f"{before}?{query}{mark}{fragment}"

    def __str__(self) -> str:
        return f"{self.source}{f'?{self.query}' if self.query else ''} -> {self.target or 'gone'}"


@dataclass(frozen=True, slots=True)
class Found:
    """Where a request is to go."""

    status: int
    target: str


class RedirectList:
    """Redirects in the order in which they are asked: exact ones, those with a query first; then the longest prefix.

    Args:
        redirects: Of one site.
    """

    def __init__(self, redirects: Iterable[Redirect] = ()) -> None:
        self.redirects = sorted_redirects(redirects)
        self._exact: dict[str, list[Redirect]] = {}
        for one in self.redirects:
            if not one.is_prefix:
                self._exact.setdefault(one.source, []).append(one)
        self._prefixes = [one for one in self.redirects if one.is_prefix]

    def __bool__(self) -> bool:
        return bool(self.redirects)

    def find(self, path: str, query: str = "", *, exact: bool = True, prefixes: bool = True) -> Found | None:
        """Where an encoded path leads, or None.

        Args:
            path: Percent-encoded.
            query: Of the request.
            exact: Ask the redirects of single paths.
            prefixes: Ask those of everything below a path.
        """
        one = self.find_rule(path, query, exact=exact, prefixes=prefixes)
        return Found(one.status, one.match(path, query) or "") if one is not None else None

    def find_rule(self, path: str, query: str = "", *, exact: bool = True, prefixes: bool = True) -> Redirect | None:
        """The redirect that speaks of an encoded path, or None; see ``find``."""
        candidates = [*(self._exact.get(path, ()) if exact else ()), *(self._prefixes if prefixes else ())]
        return next((one for one in candidates if one.match(path, query) is not None), None)


def sorted_redirects(redirects: Iterable[Redirect]) -> list[Redirect]:
    """In the order in which they are asked."""
    return sorted(redirects, key=lambda one: (one.is_prefix, -len(one.prefix) if one.is_prefix else 0, one.source,
                                              -len(one.query), one.query))  # fmt: skip


# reading


def parse_redirects(body: bytes, path: Path) -> list[Redirect]:
    """The redirects in a CSV file.

    Raises:
        Problems: Every row that cannot stand.
    """
    if not body.strip():
        return []
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RouteError(f"it is not UTF-8: {error}", path=path) from error
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="")
    problems = _header_problems(reader.fieldnames or (), path)
    if problems:
        raise Problems(problems)
    found: dict[tuple[str, str], Redirect] = {}
    for row in reader:
        if not any(row.values()):
            continue
        one, wrong = parse_row(row, f"{path.name}:{reader.line_num}")
        twin = found.get((one.source, one.query))
        if not wrong and twin is not None:
            wrong = f"{one.source} is redirected twice, first in {twin.where}"
        if wrong:
            problems.append(RouteError(wrong, path=path, line=reader.line_num))
            continue
        found[(one.source, one.query)] = one
    if problems:
        raise Problems(problems, summary=f"{path.name} has redirects that cannot stand")
    return list(found.values())


def _header_problems(names: Sequence[str], path: Path) -> list[ToolkitError]:
    problems: list[ToolkitError] = [
        RouteError(f"there is no column {name!r} in redirects", path=path, line=1, hint=did_you_mean(name, COLUMNS))
        for name in names
        if name not in COLUMNS
    ]
    if "from" not in names or "to" not in names:
        problems.append(RouteError("the first line must name the columns from,to,status", path=path, line=1))
    return problems


def parse_row(row: Mapping[str, str | None], where: str) -> tuple[Redirect, str]:
    """A row of the columns from, to and status, and what is wrong with it.

    Args:
        row: Texts by column.
        where: Who says so.
    """
    source, target = (row.get("from") or "").strip(), (row.get("to") or "").strip()
    status = (row.get("status") or "").strip() or ("301" if target else "410")
    path, _, query = source.partition("?")
    one = Redirect(spelled(path), spelled(target), int(status) if status.isdigit() else 0, query, where)
    return one, _fault(one, source, status, extra=row.get(""))


def spelled(address: str) -> str:
    """A path or URL, percent-encoded in one way, since a header of HTTP has ASCII alone."""
    if address.startswith("/") and not address.startswith("//"):
        path, mark, rest = address.partition("?")
        head, hash_mark, fragment = path.partition("#")
        address = quote(unquote(head), safe=_SAFE) + hash_mark + fragment + mark + rest
    if address.isascii() or _CONTROL.search(address):
        return address
    with suppress(ValidationError):  # what is wrong with a URL is told where it is looked at
        address = to_uri(address)
    return address


def _fault(one: Redirect, source: str, status: str, *, extra: object) -> str:
    if extra:
        return "it has more columns than the first line names"
    if not source.startswith("/") or source.startswith("//") or _CONTROL.search(one.source) or "#" in source:
        return f"from = {source!r} is no path of this site; it must begin with one slash"
    if wrong := _path_fault(source.partition("?")[0]):
        return f"from = {source!r} is no path of this site: {wrong}"
    if "*" in source.rstrip("*") or source.endswith("**") or (one.is_prefix and not one.prefix.endswith("/")):
        return f"from = {source!r}: a * may only stand at the end, after a slash"
    if one.is_prefix and one.query:
        return f"from = {source!r}: a * and a query do not go together"
    if one.status not in STATUSES:
        return f"status = {status!r} is none of {', '.join(map(str, STATUSES))}"
    if (one.status == 410) != (not one.target):
        return "what is gone (410) leads nowhere: leave 'to' empty; anything else needs one"
    return _target_fault(one)


def _path_fault(path: str) -> str:
    """Why a path can be asked for by nobody, and could be a file elsewhere than it says; empty if it can."""
    try:
        decoded = unquote(path, errors="strict")
    except UnicodeDecodeError:
        return "it is not UTF-8"
    if _CONTROL.search(decoded.replace(" ", "")):
        return "it has a control character or a backslash in it"
    if not {".", ".."}.isdisjoint(decoded.split("/")):
        return "it leaves its folder"
    return ""


def _target_fault(one: Redirect) -> str:
    if not one.target:
        return ""
    if SPLAT in one.target and not one.is_prefix:
        return f"to = {one.target!r} has {SPLAT}, but 'from' has no *"
    if _CONTROL.search(one.target) or one.target.startswith("//"):
        return f"to = {one.target!r} is neither a path nor a URL"
    if not one.target.startswith("/"):
        parts = urlsplit(one.target)
        if parts.scheme not in ("http", "https") or not parts.netloc or SPLAT in parts.netloc:
            return f"to = {one.target!r} is neither a path of this site nor an http or https URL"
    return ""


# chains


def _slashes(rest: str) -> int:
    """How many characters at the beginning are slashes, or what browsers take for some."""
    found = _SLASHES.match(rest)
    return found.end() if found else 0


def follow(one: Redirect, step: Callable[[str], Redirect | None]) -> tuple[Redirect, list[str]]:
    """A redirect that leads to where its chain ends, and the chain.

    Args:
        one: The redirect.
        step: The redirect that speaks of a target, or None.

    Raises:
        RouteError: The chain is a loop; it is shown.
    """
    chain = [one.source, one.target]
    last = one
    while last.target and not last.is_external and "?" not in last.target:
        path, mark, fragment = last.target.partition("#")
        following = step(path)
        if following is None:
            break
        target = following.target_of(path)
        target += mark + fragment if target and "#" not in target else ""
        last = replace(last, target=target, status=_status(last, following) if target else following.status)
        chain.append(last.target or "gone")
        if last.target in chain[:-1] or len(chain) > LONGEST_CHAIN or _grows(following):
            raise RouteError(f"redirects go round in a circle: {' -> '.join(chain)}", hint="Remove one of them.")
    return last, chain


def _status(one: Redirect, following: Redirect) -> int:
    """Of a redirect that another one follows, or comes before: for good only if both are."""
    return _FOR_NOW.get(one.status, one.status) if following.status in _TEMPORARY else one.status


def _through_prefixes(given: Sequence[Redirect], is_page: Callable[[str], bool]) -> list[Redirect]:
    """Redirects of paths below a prefix that leads to other redirects, and would else take two steps."""
    known = {(one.source, one.query) for one in given}
    found: list[Redirect] = []
    prefixes = [one for one in given if one.is_prefix and SPLAT in one.target and not one.is_external]
    fresh = list(given)
    for _ in range(LONGEST_CHAIN):
        made = []
        for prefix in prefixes:
            for joined in itertools.chain.from_iterable(_joined(prefix, one) for one in fresh):
                key = (joined.source, joined.query)
                if joined.source != prefix.source and key not in known and not is_page(joined.source):
                    known.add(key)
                    made.append(replace(joined, where=prefix.where))
        found += made
        fresh = made
        if not fresh:
            break
    return found


def _joined(prefix: Redirect, one: Redirect) -> Iterator[Redirect]:
    """Redirects of the paths that a prefix leads to those of another redirect, straight to where that leads."""
    begins, _, ends = prefix.target.partition(SPLAT)
    if SPLAT in ends or "?" in ends or "#" in ends or one.source.startswith(prefix.prefix):
        return
    if not one.prefix.startswith(begins):
        return
    rest = one.prefix[len(begins) :]
    status = _status(prefix, one) if one.target else one.status
    if one.is_prefix:
        target = one.target.replace(SPLAT, SPLAT + ends)
        yield replace(one, source=f"{prefix.prefix}{rest}*", target=target, status=status)
    # of what stands behind the splat, so much belongs to the other's path
    for count in range(1, len(ends) + 1) if one.is_prefix else [len(ends)]:
        if rest.endswith(ends[:count]):
            source = f"{prefix.prefix}{rest[: len(rest) - count]}"
            yield replace(one, source=source, target=one.target.replace(SPLAT, ends[count:]), status=status)


def _grows(one: Redirect) -> bool:
    """Whether a prefix leads below itself, so that following it never ends."""
    return one.is_prefix and one.target.startswith(one.prefix)


def loop_problems(redirects: Iterable[Redirect]) -> list[ToolkitError]:
    """Every redirect whose chain does not end."""
    found: list[ToolkitError] = []
    listed = RedirectList(one for one in redirects if not one.query)
    for one in listed.redirects:
        try:
            if _grows(one):
                raise RouteError(f"{one} leads below itself, and round in a circle", hint="Choose another target.")
            follow(one, lambda at: _speaking(listed, at))
        except RouteError as error:
            found.append(RouteError(f"{one.where}: {error.message}", hint=error.hint))
    return found


def _speaking(listed: RedirectList, path: str) -> Redirect | None:
    """The redirect that an encoded path meets, or None."""
    exact = listed._exact.get(path)
    if exact and not exact[-1].query:
        return exact[-1]
    return next((one for one in listed._prefixes if path.startswith(one.prefix)), None)


def collapsed(redirects: Iterable[Redirect], is_page: Callable[[str], bool]) -> list[Redirect]:
    """Each redirect, leading straight to where its chain ends; those of paths that are pages are left out.

    Args:
        redirects: All of a site, each path once.
        is_page: Whether something is published at an encoded path.

    Raises:
        Problems: Every loop.
    """
    given = [one for one in redirects if one.is_prefix or one.query or not is_page(one.source)]
    listed = RedirectList(given + _through_prefixes(given, is_page))
    problems: list[ToolkitError] = []
    found = []
    for one in listed.redirects:
        try:
            found.append(follow(one, lambda at: None if is_page(at) else _speaking(listed, at))[0])
        except RouteError as error:
            problems.append(error)
    if problems:
        raise Problems(problems)
    return found
