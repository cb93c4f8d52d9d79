"""Redirects from the file and from rows, together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import FrozenError, Problems, RouteError
from toolkit.site.redirects import Found
from toolkit.testing import temporary_site

MODELS = """
from toolkit import models
from toolkit.models import Now, Q

class OldAddress(models.Model):
    old = models.CharField(max_length=200, unique=True)
    new = models.CharField(max_length=500, blank=True)
    status = models.IntegerField(null=True)
    since = models.DateTimeField(null=True)

    class Meta:
        ordering = ["old"]
        public = Q(since__isnull=True) | Q(since__lte=Now())
"""

PAGES = """
from .models import OldAddress

MORE = []

@app.page("/")
def home(): return "home"

@app.redirects
def old_addresses(): return OldAddress.objects.values_list("old", "new", "status")

@app.redirects
def more(): return MORE
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Any]:
    with temporary_site(tmp_path, models=MODELS, pages=PAGES) as made:
        yield made


def add(site: Any, *rows: tuple[Any, ...]) -> None:
    with site:
        for old, new, *rest in rows:
            named = dict(zip(("status", "since"), rest, strict=False))
            site.models[0].objects.create(old=old, new=new, **named)


def more(site: Any) -> list[Any]:
    """What the second function gives: change it as you like."""
    found: list[Any] = site.redirects.functions[1].function.__globals__["MORE"]
    return found


def test_a_function_that_returns_nothing_is_named(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(site.redirects.functions[1].function.__globals__, "MORE", None)
    with pytest.raises(RouteError, match=r"pages.py:\d+: \S+\.more gave None, and no rows. Return a queryset"):
        site.redirects.read()


def test_the_file_is_read_again_when_it_changed(site: Any) -> None:
    assert not site.redirects.read()
    site.redirects.path.write_text("from,to\n/a/,/b/\n")
    assert site.redirects.read().find("/a/") == Found(301, "/b/")
    site.redirects.path.unlink()
    assert site.redirects.read().find("/a/") is None


def test_rows_redirect_like_lines_of_the_file(site: Any) -> None:
    site.redirects.path.write_text("from,to\n/a/,/x/\n")
    add(site, ("/b/*", "/c/:splat"), ("/gone/", ""), ("/d/", "https://else.example/", 308))
    more(site)[:] = [{"from": "/e/", "to": "/f/"}, ["/g/?id=1", "/h/"]]
    read = site.redirects.read()
    assert read.find("/a/") == Found(301, "/x/")
    assert read.find("/b/q/") == Found(301, "/c/q/")
    assert read.find("/gone/") == Found(410, "")
    assert read.find("/d/") == Found(308, "https://else.example/")
    assert read.find("/e/") == Found(301, "/f/") and read.find("/g/", "id=1") == Found(301, "/h/")


def test_rows_that_readers_do_not_see_redirect_nobody(site: Any) -> None:
    add(site, ("/secret/", "/story/", 301, datetime(2031, 5, 1, tzinfo=UTC)))
    before = site.redirects.digest(datetime(2031, 4, 30, tzinfo=UTC))
    assert site.redirects.read(datetime(2031, 4, 30, tzinfo=UTC)).find("/secret/") is None
    assert site.redirects.read(datetime(2031, 5, 2, tzinfo=UTC)).find("/secret/") == Found(301, "/story/")
    assert site.redirects.digest(datetime(2031, 5, 2, tzinfo=UTC)) != before


def test_every_row_that_cannot_stand_is_told_at_once(site: Any) -> None:
    site.redirects.path.write_text("from,to\n/a/,/b/\n")
    add(site, ("/a/", "/c/"), ("nowhere", "/c/"), ("/t/", "/u/", 200), ("/u/", "/v/"), ("/v/", "/u/"))
    more(site)[:] = ["/one/", ("/two/",), {"von": "/x/", "to": "/y/"}]
    with pytest.raises(Problems) as error:
        site.redirects.read()
    told = str(error.value)
    assert "old_addresses: /a/ is redirected twice, first in redirects.csv:2" in told
    assert "old_addresses: from = 'nowhere' is no path of this site" in told
    assert "old_addresses: status = '200' is none of" in told
    assert "redirects go round in a circle: /u/ -> /v/ -> /u/" in told
    assert told.count("is no redirect: give (from, to) or (from, to, status)") == 3
    assert "pages.py:" in told


def test_redirects_are_declared_before_the_site_is_prepared(site: Any) -> None:
    with pytest.raises(FrozenError, match="redirects '_late' was declared after the site was prepared"):
        site.apps[0].redirects(_late)


def _late() -> list[Any]:
    return []
