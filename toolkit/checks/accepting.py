"""Findings that a site means to have: accepted in ``toolkit.toml``, each with a reason, and told when they are gone."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from toolkit.checks.catalogue import CHECKS
from toolkit.checks.findings import Finding
from toolkit.errors import did_you_mean
from toolkit.folders import FILE_NAME


@dataclass
class Acceptances:
    """The findings that a site accepts.

    Args:
        site: The site; its setting ``accepted`` says which.

    Attributes:
        count: How many findings were accepted.
    """

    site: Any
    count: int = 0
    _used: set[tuple[str, str]] = field(default_factory=set)

    def accepts(self, finding: Finding) -> bool:
        """Whether a finding is meant to be."""
        patterns = self._patterns.get(finding.id)
        if not patterns:
            return False
        places = list(_places(finding, self.site.folder))
        hits = {pattern for pattern in patterns if any(fnmatchcase(place, pattern) for place in places)}
        self._used |= {(finding.id, pattern) for pattern in hits}
        self.count += bool(hits)
        return bool(hits)

    @property
    def _patterns(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = self.site.settings.peek("accepted")
        return found

    def check(self, looked_for: Collection[str]) -> Iterator[Finding]:
        """Acceptances that are of no use.

        Args:
            looked_for: The checks that were made; of the others nothing is known.
        """
        path = str(self.site.folder / FILE_NAME)
        for check, patterns in self._patterns.items():
            if check not in CHECKS:
                hint = did_you_mean(check, CHECKS) or "See: toolkit check --list."
                yield Finding("accepted.unknown", f"there is no check {check!r} to accept", path=path, hint=hint)
                continue
            for pattern in patterns if check in looked_for else ():
                if (check, pattern) not in self._used:
                    message = f"nothing that {check} finds matches {pattern!r} any more"
                    yield Finding("accepted.unused", message, path=path, hint="Take it out.")


def _places(finding: Finding, folder: Path) -> Iterator[str]:
    """What a pattern is compared with: the URL as it is written and as it is read, and a file of the site."""
    if finding.url is not None:
        yield finding.url
        yield unquote(finding.url)
    if finding.path is not None and not finding.is_in_output:
        path = Path(finding.path)
        yield path.relative_to(folder).as_posix() if path.is_relative_to(folder) else finding.path
