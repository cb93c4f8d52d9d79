"""Redirects that people write down: read from CSV, refused with the line, led straight to where their chain ends."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import Problems
from toolkit.site.redirects import Found, Redirect, RedirectList, collapsed, loop_problems, parse_redirects

CSV = Path("redirects.csv")


def parsed(*rows: str, head: str = "from,to,status") -> list[Redirect]:
    return parse_redirects("\n".join([head, *rows]).encode(), CSV)


def test_rows_are_redirects() -> None:
    assert parsed("/a/,/b/,302", "/c/,/d/,", "/gone/,,", "", "/old/*,https://x.example/:splat,") == [
        Redirect("/a/", "/b/", 302, "", "redirects.csv:2"),
        Redirect("/c/", "/d/", 301, "", "redirects.csv:3"),
        Redirect("/gone/", "", 410, "", "redirects.csv:4"),
        Redirect("/old/*", "https://x.example/:splat", 301, "", "redirects.csv:6"),
    ]


def test_columns_may_stand_in_any_order_and_spreadsheets_may_have_written_them() -> None:
    found = parse_redirects("\ufeffto,from\r\n/b/,/caf\u00e9 x/\r\n".encode(), CSV)
    assert found == [Redirect("/caf%C3%A9%20x/", "/b/", 301, "", "redirects.csv:2")]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("a/,/b/,", r"redirects.csv:2: from = 'a/' is no path of this site"),
        ("//evil.example/,/b/,", r"is no path of this site; it must begin with one slash"),
        ("/../etc/,/b/,", r"from = '/../etc/' is no path of this site: it leaves its folder"),
        ("/a/%2e%2E/%2e%2e/etc/,/b/,", r"it leaves its folder"),
        ("/./a/,/b/,", r"it leaves its folder"),
        ("/a%00b/,/b/,", r"it has a control character or a backslash in it"),
        ("/a%5cb/,/b/,", r"it has a control character or a backslash in it"),
        ("/a%ff/,/b/,", r"it is not UTF-8"),
        ("/a*,/b/,", r"a \* may only stand at the end, after a slash"),
        ("/a/*/b,/b/,", r"a \* may only stand at the end"),
        ("/a/*?x=1,/b/,", r"a \* may only stand at the end|do not go together"),
        ("/a/,/b/,200", r"status = '200' is none of 301, 302"),
        ("/a/,/b/,soon", r"status = 'soon' is none of"),
        ("/a/,/b/,410", r"leads nowhere: leave 'to' empty"),
        ("/a/,,301", r"anything else needs one"),
        ("/a/,/b/:splat,", r"has :splat, but 'from' has no \*"),
        ("/a/,//evil.example/,", r"is neither a path nor a URL"),
        ("/a/,javascript:alert(1),", r"is neither a path of this site nor an http or https URL"),
        ("/a/*,https://:splat/x,", r"is neither a path of this site nor an http"),
        ("/a/,/b/,301,what", r"it has more columns than the first line names"),
    ],
)
def test_what_cannot_stand_is_told_with_its_line(row: str, told: str) -> None:
    with pytest.raises(Problems, match=told):
        parsed(row)


def test_every_wrong_row_is_told_at_once() -> None:
    with pytest.raises(Problems, match=r"(?s)redirects.csv:2: from.*redirects.csv:4: status") as caught:
        parsed("a,/b/,", "/ok/,/b/,", "/x/,/b/,9")
    assert len(caught.value.problems) == 2


def test_two_rows_of_one_path_are_refused() -> None:
    with pytest.raises(Problems, match=r"redirects.csv:3: /a/ is redirected twice, first in redirects.csv:2"):
        parsed("/a/,/b/,", "/a/,/c/,")
    assert len(parsed("/a/?x=1,/b/,", "/a/?x=2,/c/,", "/a/,/d/,")) == 3


def test_a_column_that_is_misspelt_is_told() -> None:
    with pytest.raises(Problems, match=r"there is no column 'form' in redirects. Did you mean 'from'"):
        parsed("/a/,/b/", head="form,to")


@pytest.mark.parametrize(
    ("rows", "chain"),
    [
        (["/a/,/b/,", "/b/,/c/,", "/c/,/a/,"], "/a/ -> /b/ -> /c/ -> /a/"),
        (["/a/,/a/,"], "/a/ -> /a/"),
        (["/a/*,/a/b/:splat,"], "leads below itself"),
        (["/a/*,/b/:splat,", "/b/*,/a/:splat,"], "/a/* -> /b/:splat -> /a/:splat"),
    ],
)
def test_a_loop_is_refused_with_the_chain_shown(rows: list[str], chain: str) -> None:
    [first, *_] = loop_problems(parsed(*rows))
    assert chain in str(first) and str(first).startswith("redirects.csv:2: ")


def ends(redirects: Iterable[Redirect]) -> dict[str, str]:
    return {one.source: one.target for one in redirects}


def test_a_chain_leads_straight_to_its_end() -> None:
    found = collapsed(parsed("/a/,/b/,", "/b/,/c/#part,308", "/c/,/d/,"), lambda url: url == "/d/")
    assert ends(found) == {"/a/": "/d/#part", "/b/": "/d/#part", "/c/": "/d/"}
    assert {one.source: one.status for one in found} == {"/a/": 301, "/b/": 308, "/c/": 301}


def test_what_leads_through_a_step_that_is_for_now_is_for_now() -> None:
    found = collapsed(parsed("/a/,/b/,", "/b/,/c/,302", "/c/,/d/,308", "/e/,/b/,308", "/p/*,/b/,"), lambda url: False)
    assert {one.source: one.status for one in found} == {"/a/": 302, "/b/": 302, "/c/": 308, "/e/": 307, "/p/*": 302}
    through = collapsed(parsed("/a/*,/b/:splat,302", "/b/x/,/c/,"), lambda url: False)
    assert {one.source: one.status for one in through}["/a/x/"] == 302


def test_addresses_are_ascii_as_headers_are() -> None:
    found = parsed("/a/*,https://böse.example/ü/:splat?q=ä&b=%C3%A4#é,", "/b/,/ü/?q=ä#é,")
    assert [one.target for one in found] == [
        "https://xn--bse-sna.example/%C3%BC/:splat?q=%C3%A4&b=%C3%A4#%C3%A9",
        "/%C3%BC/?q=%C3%A4#%C3%A9",
    ]


def test_a_chain_stops_at_a_page_and_at_what_is_gone() -> None:
    found = collapsed(parsed("/a/,/b/,", "/b/,/c/,", "/x/,/y/,", "/y/,,410"), lambda url: url == "/b/")
    assert ends(found) == {"/a/": "/b/", "/x/": "", "/y/": ""}
    assert {one.source: one.status for one in found}["/x/"] == 410


def test_prefixes_are_followed_through_prefixes_and_single_paths() -> None:
    found = collapsed(parsed("/a/*,/b/:splat,", "/b/*,/c/:splat,", "/b/q/,/r/,", "/s/,/a/q/,"), lambda url: False)
    assert ends(found) == {"/a/*": "/c/:splat", "/b/*": "/c/:splat", "/a/q/": "/r/", "/b/q/": "/r/", "/s/": "/r/"}


def test_the_longest_prefix_and_the_query_win() -> None:
    listed = RedirectList(parsed("/a/*,/x/:splat,", "/a/b/*,/y/:splat,302", "/n/?id=1&p=2,/z/,", "/n/,/w/,"))
    assert listed.find("/a/b/c") == Found(302, "/y/c")
    assert listed.find("/a/c", "q=1") == Found(301, "/x/c?q=1")
    assert listed.find("/n/", "p=2&id=1&more=3") == Found(301, "/z/")
    assert listed.find("/n/", "id=1") == Found(301, "/w/?id=1")
    assert listed.find("/elsewhere/") is None


PATHS = st.sampled_from([f"/{letter}/" for letter in "abcdef"])


@given(rows=st.dictionaries(PATHS, PATHS, max_size=6), published=st.sets(PATHS, max_size=3))
def test_no_collapsed_redirect_leads_to_another(rows: dict[str, str], published: set[str]) -> None:
    given_rows = [Redirect(source, target) for source, target in rows.items()]
    try:
        found = ends(collapsed(given_rows, lambda url: url in published))
    except Problems:
        return
    for source, target in found.items():
        at = source
        while at in rows and at not in published:
            at = rows[at]
        assert target == at
        assert target not in found


def test_a_prefix_whose_target_goes_on_behind_what_it_keeps_is_followed_too() -> None:
    found = collapsed(
        parsed("/a/*,/b/:splat/old/,", "/b/q/old/,/r/,", "/c/*,/:splat.html,", "/x.html,/y/,"), lambda url: False
    )
    assert ends(found).items() >= {"/a/q": "/r/", "/a/*": "/b/:splat/old/", "/c/x": "/y/"}.items()


def test_a_query_is_asked_below_a_prefix_as_well() -> None:
    listed = RedirectList(collapsed(parsed("/a/*,/b/:splat,", "/b/n/?id=1,/z/,", "/z/,/end/,"), lambda url: False))
    assert listed.find("/a/n/", "id=1") == Found(301, "/end/")
    assert listed.find("/a/n/", "id=2") == Found(301, "/b/n/?id=2")


FORMS = st.sampled_from(
    [(f"/a/{way}*", f"/d/{end}") for way in ("", "y/") for end in (":splat", ":splat/x/", "y/:splat", "")]
    + [(f"/d/{way}", "/h/") for way in ("", "p/", "y/p/", "p/x/", "y/p/x/", "*", "y/*")]
    + [("/d/p/*", "/h/:splat"), ("/h/", "/i/")]
)
"""Prefixes that lead to prefixes and single paths."""


@given(
    rows=st.lists(FORMS, min_size=2, max_size=6, unique_by=lambda row: row[0]),
    rest=st.sampled_from(["", "p/", "p", "y/p/", "p/x/"]),
)
def test_whatever_is_asked_below_a_prefix_takes_one_step(rows: list[tuple[str, str]], rest: str) -> None:
    listed = RedirectList(collapsed([Redirect(*row) for row in rows], lambda url: False))
    for start in "adh":
        found = listed.find(f"/{start}/{rest}")
        if found is not None:
            assert listed.find(found.target) is None
