"""What a host is given besides the site, and what all hosts share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from urllib.parse import quote

from toolkit.deploy.files import Build, DeployFile
from toolkit.site.headers import HeaderRule
from toolkit.site.redirects import Redirect
from toolkit.text.media_types import content_type

_SAFE = "!$&'()*+,/:;=@~-._"


@dataclass
class HostForm:
    """A host's own form of headers and redirects.

    Attributes:
        files: Published with the site, by path.
        config: Written beside it, for whoever runs the host, by name.
        replaces_pages: The host redirects by itself, so that pages which only redirect stay away.
        notices: What the host cannot do.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    config: dict[str, str] = field(default_factory=dict)
    replaces_pages: bool = False
    notices: list[str] = field(default_factory=list)

    def leave_out(self, host: str, redirects: Iterable[Redirect], why: str) -> None:
        """Note redirects that the host cannot do."""
        for one in redirects:
            self.notices.append(f"{host} {why}: {one} is left out")


def both_spellings(redirects: Iterable[Redirect]) -> Iterator[Redirect]:
    """Each redirect, and where its path ends in a slash the same without, as the server takes them."""
    known = {(one.source, one.query) for one in redirects}
    for one in sorted(redirects, key=lambda one: one.is_prefix):  # a single path wins over a prefix
        yield one
        if one.is_prefix:
            short = replace(one, source=one.prefix.rstrip("/"), target=one.target.replace(":splat", ""))
        else:
            short = replace(one, source=one.source.rstrip("/"))
        if short.source and (short.source, short.query) not in known:
            known.add((short.source, short.query))
            yield short


def with_safe_splats(build: Build) -> Build:
    """The same, for a host that cannot take slashes from the beginning of what stood for the star.

    Where the splat stands at the root, ``/up//elsewhere.example`` would lead to another site. With the site's own
    address before it, it leads to a path that is not there.
    """
    found = [
        replace(one, target=f"{build.origin}{one.target}") if one.is_prefix and one.is_to_root else one
        for one in build.redirects
    ]
    return replace(build, redirects=tuple(found))


def ordered(redirects: Iterable[Redirect]) -> list[Redirect]:
    """Single paths, those with a query first; then the longest prefix."""
    return sorted(
        both_spellings(list(redirects)),
        key=lambda one: (one.is_prefix, -len(one.prefix) if one.is_prefix else 0, one.source, -len(one.query)),
    )


def encoded_path(path: str) -> str:
    """A path, percent-encoded."""
    return quote(path, safe=_SAFE)


def usual_types(build: Build) -> dict[str, str]:
    """Ending to the type of most files that have it."""
    counts: dict[str, Counter[str]] = {}
    for file in _uncoded(build):
        counts.setdefault(_ending(file.path), Counter())[file.headers["Content-Type"]] += 1
    return {ending: found.most_common(1)[0][0] for ending, found in sorted(counts.items()) if ending}


def odd_types(build: Build, usual: dict[str, str] | None = None) -> list[DeployFile]:
    """Files whose type is another than their name says.

    Args:
        build: The build.
        usual: Ending to type; by default what ``content_type`` says.
    """

    def expected(path: str) -> str:
        return content_type(path) if usual is None else usual.get(_ending(path), "application/octet-stream")

    return [file for file in _uncoded(build) if file.headers["Content-Type"] != expected(file.path)]


def _uncoded(build: Build) -> Iterator[DeployFile]:
    """The files that are not the compressed one beside another: those a host sends in their place, or not at all."""
    return (file for file in build.files.values() if "Content-Encoding" not in file.headers)


def type_rules(build: Build, *, by_ending: bool = False) -> list[HeaderRule]:
    """Rules for files whose type is another than their name says.

    Args:
        build: The build.
        by_ending: With a rule for each ending, and for each file that is unlike the others: for hosts that take few.
    """
    if not by_ending:
        return [_type_rule(file.url, file.headers["Content-Type"]) for file in odd_types(build)]
    usual = usual_types(build)
    rules = [_type_rule(f"/*.{ending}", kind) for ending, kind in usual.items() if kind != content_type(f"a.{ending}")]
    return rules + [_type_rule(file.url, file.headers["Content-Type"]) for file in odd_types(build, usual)]


def _type_rule(pattern: str, kind: str) -> HeaderRule:
    return HeaderRule(pattern, (("Content-Type", kind),))


def _ending(path: str) -> str:
    return PurePosixPath(path).suffix.removeprefix(".").lower()


def written_by(comment: str = "#") -> str:
    """The first line of a file that is written anew at each deploy."""
    return f"{comment} Written by toolkit deploy: change toolkit.toml and the file of redirects, not this file.\n"


def not_found_pages(build: Build) -> dict[str, str]:
    """What paths begin with, to the URL of the page for what is not there: one for each language; the longest first."""
    found = [path for path in build.files if path == "404.html" or path.endswith("/404.html")]
    ways = {path: build.files[path].url for path in sorted(found, key=len, reverse=True)}
    return {url.removesuffix("404.html"): url for url in ways.values()}
