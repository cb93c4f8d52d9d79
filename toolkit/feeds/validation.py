"""Is this a feed that every reader can read?"""

from __future__ import annotations

import json
from typing import Any

from toolkit.feeds.atom_rules import check_atom
from toolkit.feeds.json_rules import check_json
from toolkit.feeds.rss_rules import check_rss
from toolkit.feeds.rules import ATOM, Report


def validate(body: bytes) -> list[str]:
    """The rules a feed breaks, each as ``"line 12: what is wrong"``; empty when it is good.

    Knows RSS 2.0, Atom 1.0 and JSON Feed 1.1 by their first element, whoever wrote them. Works offline.

    Args:
        body: The whole document.

    Source: RFC 4287; RSS 2.0.11 and the RSS Best Practices Profile (rssboard.org); jsonfeed.org 1.1. Beyond
    them: ids are unique, and links in content are absolute.
    """
    report = Report()
    if body.lstrip()[:1] in (b"{", b"["):
        _check_json_body(body, report)
    else:
        root = _parse_xml(body, report)
        if root is not None:
            _check_root(root, report)
    return report.problems


def _check_root(root: Any, report: Report) -> None:
    if root.tag == f"{{{ATOM}}}feed":
        check_atom(root, report)
    elif root.tag == "rss":
        check_rss(root, report)
    else:
        report.add(root, f"<{root.tag}> begins neither RSS 2.0 nor Atom 1.0")


def _check_json_body(body: bytes, report: Report) -> None:
    try:
        check_json(json.loads(body), report)
    except (ValueError, UnicodeDecodeError) as error:
        report.add("feed", f"this is not JSON: {error}")


def _parse_xml(body: bytes, report: Report) -> Any:
    from lxml import etree

    root: Any
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        line = error.position[0]
        report.add(f"line {line}", f"this is not XML: {error.msg}")
        return None
    if root.getroottree().docinfo.doctype:
        report.add("line 1", "a feed has no document type: readers refuse it")
    return root
