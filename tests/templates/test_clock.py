"""The clock, read as finely as a page shows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.builder import Builder
from toolkit.errors import TemplateError
from toolkit.templates.clock import UNITS, end_of_moment, floor_moment, now
from toolkit.testing import temporary_site

ZONES = ("", " in Europe/Madrid", " in America/Sao_Paulo", " in Asia/Kathmandu", " in Pacific/Apia")


@given(
    st.integers(315_532_800, 3_471_292_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.sampled_from(UNITS),
    st.sampled_from(ZONES),
)
def test_all_moments_of_a_unit_have_one_beginning_and_one_end(moment: datetime, unit: str, zone: str) -> None:
    granularity = unit + zone
    begun, end = floor_moment(moment, granularity), end_of_moment(moment, granularity)
    assert begun <= moment < end
    last = end - timedelta(microseconds=1)
    assert floor_moment(last, granularity).astimezone(UTC) == begun.astimezone(UTC)
    assert end_of_moment(last, granularity) == end
    assert floor_moment(end, granularity) > begun


def test_a_year_begins_where_the_site_is() -> None:
    moment = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert floor_moment(moment, "year").year == 2026
    assert floor_moment(moment, "year in Europe/Madrid").year == 2027
    assert end_of_moment(moment, "year") == datetime(2027, 1, 1, tzinfo=UTC)


def test_what_is_no_unit_is_refused() -> None:
    with pytest.raises(TemplateError, match=r"there is no such unit\. Did you mean 'year'"):
        now("yeer")


def build(site: Any, moment: str) -> tuple[set[str], str]:
    report = Builder(site, workers=1, moment=datetime.fromisoformat(moment)).build()
    rendered = {event.subject for event in report.events if event.kind == "rendered"}
    return rendered, (site.folder / "build/year/index.html").read_text()


def test_a_page_with_the_year_is_made_anew_next_year(tmp_path: Path) -> None:
    pages = "".join(
        f'@app.page("/{unit}/", template="{unit}.html")\ndef {unit}(): return {{}}\n'
        for unit in ("year", "day", "minute")
    )
    templates = {
        "templates/year.html": '{{ now("year").year }}',
        "templates/day.html": '{{ now("day")|date }}',
        "templates/minute.html": "{{ now()|date }}",
    }
    with temporary_site(tmp_path, templates, pages=pages, settings='timezone = "Europe/Madrid"\n') as site:
        assert build(site, "2026-12-30T12:00:00Z") == ({"/year/", "/day/", "/minute/"}, "2026")
        assert build(site, "2026-12-30T12:01:00Z") == ({"/minute/"}, "2026")
        assert build(site, "2026-12-31T22:30:00Z") == ({"/day/", "/minute/"}, "2026")
        assert build(site, "2026-12-31T23:30:00Z") == ({"/year/", "/day/", "/minute/"}, "2027")
        assert build(site, "2026-12-31T23:30:30Z")[0] == set()
