"""Workers that die in the middle."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.builder import Builder
from toolkit.errors import BuildError
from toolkit.testing import temporary_site

PAGES = """
import os
import signal
from pathlib import Path

DEATHS = {deaths!r}


@app.page("/<int:n>/", each=lambda: [{{"n": n}} for n in range(300)])
def number(n):
    if n == 150:
        grave = Path({grave!r})
        died = len(os.listdir(grave))
        if died < DEATHS:
            (grave / str(died)).touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return f"<p>{{n}}"
"""


def test_what_a_killed_worker_had_in_hand_is_done_again(tmp_path: Path) -> None:
    grave = tmp_path / "grave"
    grave.mkdir()
    with temporary_site(tmp_path / "site", pages=PAGES.format(deaths=2, grave=str(grave))) as site:
        report = Builder(site, workers=2).build()
        assert (report.rendered, report.pages, len(list(grave.iterdir()))) == (300, 300, 2)
        for number in (0, 150, 299):
            assert (site.folder / f"build/{number}/index.html").read_text() == f"<p>{number}"
        assert Builder(site, workers=2).build().rendered == 0


def test_a_page_that_kills_every_worker_is_named_and_nothing_is_published(tmp_path: Path) -> None:
    grave = tmp_path / "grave"
    grave.mkdir()
    with temporary_site(tmp_path / "site", pages=PAGES.format(deaths=99, grave=str(grave))) as site:
        with pytest.raises(BuildError, match=r"ended from outside 4 times; at work on /\d+/ and others"):
            Builder(site, workers=2).build()
        assert not (site.folder / "build").exists()
