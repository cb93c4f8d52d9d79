"""After a deploy: what readers get at the public URL, against what was built."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from toolkit.deploy.calls import Answered, call
from toolkit.deploy.files import Build, DeployFile
from toolkit.deploy.hosts.form import HostForm, encoded_path
from toolkit.deploy.retries import Retries
from toolkit.site.headers import url_of
from toolkit.trace import digest_bytes

HEADERS_SENT = {
    "plain": (), "github-pages": (), "gitlab-pages": (),
    "s3": ("content-encoding", "cache-control", "content-disposition", "content-language"),
}  # fmt: skip
"""Which headers of ours a host sends; all of them, if it is not listed."""

NOT_SERVED = (".htaccess", ".nojekyll", "CNAME", "_headers", "_redirects", "vercel.json")


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A URL that answers otherwise than it should."""

    url: str
    what: str

    def __str__(self) -> str:
        return f"{self.url}: {self.what}"


def fetch(url: str) -> Answered:
    """GET a URL, past caches on the way.

    Raises:
        OSError: It cannot be reached.
    """
    return call(url, headers={"Accept-Encoding": "identity", "Cache-Control": "no-cache"})


def sample(build: Build, changed: Sequence[str], count: int | str) -> list[DeployFile]:
    """The files to look at: what changed first, then others, evenly.

    Args:
        build: The build.
        changed: Paths that were put.
        count: How many, or ``all``.
    """
    served = [file for file in build.files.values() if file.path not in NOT_SERVED and file.path != "404.html"]
    if count == "all" or len(served) <= int(count):
        return served
    known = set(changed)
    first = _evenly([file for file in served if file.path in known], int(count))
    rest = _evenly([file for file in served if file.path not in known], int(count) - len(first))
    return first + rest


def _evenly(files: list[DeployFile], count: int) -> list[DeployFile]:
    if len(files) <= count:
        return files
    return [files[number * len(files) // count] for number in range(count)]


class Verifier:
    """Compares answers with a build.

    Args:
        build: As it was put to the target.
        form: What its host was told.
        url: Where readers find it.
        host: Which host it is.
        retries: A CDN may need a moment.
        parallel: URLs at a time.
    """

    def __init__(self, build: Build, form: HostForm, *, url: str, host: str, retries: Retries, parallel: int) -> None:
        self.build = build
        self.form = form
        self.base = url.rstrip("/")
        self.host = host
        self.retries = retries
        self.parallel = parallel

    def verify(self, files: Sequence[DeployFile]) -> list[Mismatch]:
        """What is wrong with these files, and with the answer for what is not there."""
        checks: list[Callable[[], Mismatch | None]] = [lambda file=file: self._check(file) for file in files]  # type: ignore[misc]  # mypy gives a default of a lambda no type
        checks.append(self._check_missing)
        with ThreadPoolExecutor(self.parallel) as pool:
            return [found for found in pool.map(self._patiently, checks) if found is not None]

    def _patiently(self, check: Callable[[], Mismatch | None]) -> Mismatch | None:
        """A mismatch that stays, however often one looks."""

        def look() -> None:
            found = check()
            if found is not None:
                raise _Wrong(found)

        try:
            self.retries.run(look)
        except _Wrong as error:
            return error.mismatch
        return None

    def _get(self, url: str) -> Answered | Mismatch:
        try:
            return fetch(url)
        except OSError as error:
            return Mismatch(url, f"it cannot be reached: {error}")

    def _check(self, file: DeployFile) -> Mismatch | None:
        url = self.base + encoded_path(url_of(file.path))
        answer = self._get(url)
        if isinstance(answer, Mismatch):
            return answer
        wrong = self._wrong(file, answer)
        return Mismatch(url, wrong) if wrong else None

    def _wrong(self, file: DeployFile, answer: Answered) -> str:
        if file.redirect and self.host == "s3":
            leads = answer.headers.get("Location", "")
            right = answer.status == 301 and leads.endswith(file.redirect)
            return "" if right else f"status {answer.status} to {leads!r}, expected 301 to {file.redirect}"
        if answer.status != 200:
            return f"status {answer.status}, expected 200"
        if digest_bytes(answer.body).hex() != file.digest:
            return f"the content differs: {len(answer.body):,} bytes, expected {file.size:,}"
        return self._wrong_header(file, answer)

    def _wrong_header(self, file: DeployFile, answer: Answered) -> str:
        if "Content-Encoding" in file.headers and self.host != "s3":
            return ""  # a host sends it in place of another file; what it says of it by itself tells nothing
        sent = HEADERS_SENT.get(self.host)
        for name, value in file.headers.items():
            if name.lower() == "content-type":
                if sent == ():  # such a host goes by the name
                    continue
            elif sent is not None and name.lower() not in sent:
                continue
            found = answer.headers.get(name, "")
            if _plain(found) != _plain(value):
                return f"{name} is {found!r}, expected {value!r}"
        return ""

    def _check_missing(self) -> Mismatch | None:
        url = f"{self.base}/toolkit-{secrets.token_hex(8)}/"
        answer = self._get(url)
        if isinstance(answer, Mismatch):
            return answer
        return None if answer.status == 404 else Mismatch(url, f"status {answer.status} for nothing, expected 404")


class _Wrong(OSError):
    """Makes a mismatch something to try again."""

    def __init__(self, mismatch: Mismatch) -> None:
        super().__init__(str(mismatch))
        self.mismatch = mismatch


def _plain(value: str) -> str:
    return "".join(value.lower().split())
