"""Findings for machines: annotations of GitHub, code quality of GitLab, SARIF, JUnit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from toolkit.checks.catalogue import CHECKS, ERROR
from toolkit.checks.findings import Finding

Write = Callable[[Sequence[Finding], Path], str]


def place_of(finding: Finding, folder: Path) -> tuple[str, int]:
    """The file that a finding is shown at, from a folder, and the line; ("", 0) for what only a URL has.

    A built file stands in no repository: what is wrong in one is shown where that was written, if anybody knows.
    """
    file, line = (finding.source, finding.source_line) if finding.is_in_output else (finding.path, finding.line)
    if file is None:
        return "", 0
    path = Path(file)
    shown = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else file
    return shown, line or 1


def as_github(findings: Sequence[Finding], folder: Path) -> str:
    """Workflow commands, which GitHub shows beside the lines of a change.

    Source: GitHub Actions, "Workflow commands", "Setting an error message".
    """
    return "\n".join(_annotation(finding, folder) for finding in findings)


def _annotation(finding: Finding, folder: Path) -> str:
    path, line = place_of(finding, folder)
    options = {"file": path, "line": str(line)} if path else {}
    options["title"] = finding.id
    written = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in options.items())
    return f"::{finding.severity} {written}::{_escaped(str(finding))}"


def _escaped(text: str, further: str = "") -> str:
    for mark in f"%\r\n{further}":
        text = text.replace(mark, f"%{ord(mark):02X}")
    return text


def as_gitlab(findings: Sequence[Finding], folder: Path) -> str:
    """A code quality report. Source: GitLab, "Code Quality report format"."""
    return json.dumps([_quality(finding, folder) for finding in findings], ensure_ascii=False, indent=2)


def _quality(finding: Finding, folder: Path) -> dict[str, Any]:
    path, line = place_of(finding, folder)
    path = path or (finding.url or "toolkit.toml").lstrip("/") or "index.html"
    return {
        "description": str(finding),
        "check_name": finding.id,
        "fingerprint": fingerprint(finding, folder),
        "severity": "major" if finding.severity == ERROR else "minor",
        "location": {"path": path, "lines": {"begin": line or 1}},
    }


def fingerprint(finding: Finding, folder: Path) -> str:
    """The same for the same finding in another run, even if its line moved."""
    parts = [finding.id, finding.message, place_of(finding, folder)[0], finding.url or ""]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def as_sarif(findings: Sequence[Finding], folder: Path) -> str:
    """Source: OASIS, "Static Analysis Results Interchange Format 2.1.0"."""
    used = dict.fromkeys(finding.id for finding in findings)
    rules = [
        {
            "id": name,
            "shortDescription": {"text": CHECKS[name].finds},
            "help": {"text": CHECKS[name].mend},
            "defaultConfiguration": {"level": CHECKS[name].severity},
        }
        for name in used
    ]
    run = {
        "tool": {"driver": {"name": "toolkit", "rules": rules}},
        "results": [_result(finding, folder) for finding in findings],
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2)


def _result(finding: Finding, folder: Path) -> dict[str, Any]:
    path, line = place_of(finding, folder)
    found: dict[str, Any] = {
        "ruleId": finding.id,
        "level": finding.severity,
        "message": {"text": str(finding)},
        "partialFingerprints": {"toolkit/v1": fingerprint(finding, folder)},
    }
    location: dict[str, Any] = {}
    if path:
        location["physicalLocation"] = {"artifactLocation": {"uri": quote(path)}, "region": {"startLine": line}}
    if finding.url is not None:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.url, "kind": "resource"}]
    if location:
        found["locations"] = [location]
    return found


def as_junit(findings: Sequence[Finding], folder: Path) -> str:
    """A test for each check that found something, which failed if it is an error."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.id, []).append(finding)
    cases = [_case(name, found) for name, found in groups.items()] or ['<testcase classname="toolkit" name="check"/>']
    failures = sum(CHECKS[name].severity == ERROR for name in groups)
    head = f'<testsuite name="toolkit check" tests="{len(cases)}" failures="{failures}">'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *cases, "</testsuite>"])


def _case(name: str, findings: Iterable[Finding]) -> str:
    group, _, _ = name.partition(".")
    told = "\n".join(_for_xml(str(finding)) for finding in findings)
    element = "failure" if CHECKS[name].severity == ERROR else "system-out"
    message = f" message={quoteattr(CHECKS[name].finds)}" if element == "failure" else ""
    body = told.replace("&", "&amp;").replace("<", "&lt;")
    return (
        f"<testcase classname={quoteattr(f'toolkit.{group}')} name={quoteattr(name)}>"
        f"<{element}{message}>{body}</{element}></testcase>"
    )


def _for_xml(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(mark for mark in text if mark in "\t\n\r" or ord(mark) >= 0x20)


FORMATS: Mapping[str, Write] = {
    "github": as_github,
    "gitlab": as_gitlab,
    "sarif": as_sarif,
    "junit": as_junit,
}
"""Format to what writes it."""
