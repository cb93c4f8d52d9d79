"""Pages of statements that were written by hand: asked again at every build, rendered when the answer is another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

PAGE = """

@app.page("/by-hand/")
def by_hand() -> bytes:
    from newsroom_database import counted

    found = Story.objects.raw("SELECT id, title FROM press_story WHERE weight > %s ORDER BY 1", [7])
    heavy = [story.title for story in found]
    return repr((heavy, counted())).encode()
"""

HELPER = """
from toolkit.trace import current

def counted():
    with current.get().database.cursor() as cursor:
        return cursor.execute("SELECT count(*) FROM past_the_models").fetchone()[0]
"""


def test_a_table_that_no_model_knows_is_seen_to_change(press: Any) -> None:
    press.sql("CREATE TABLE past_the_models (id INTEGER PRIMARY KEY)")
    press.write("newsroom_database.py", HELPER)
    press.write("press/pages.py", (press.folder / "press/pages.py").read_text("utf-8") + PAGE)
    press.build(workers=1)
    assert press.build(workers=1).rendered == 0
    assert press.read("by-hand/index.html").endswith(", 0)")
    press.sql("INSERT INTO past_the_models VALUES (1)")
    report = press.same(workers=1)
    rendered = [event for event in report.events if event.kind == "rendered"]
    assert {event.subject for event in rendered} == {"/by-hand/", "/es/by-hand/"}
    assert "what 'SELECT count(*) FROM past_the_models' reads" in rendered[0].reason
    assert press.read("by-hand/index.html").endswith(", 1)")


def test_a_module_beside_the_site_is_code_of_its_pages(press: Any, tmp_path: Path) -> None:
    beside = tmp_path / "beside"
    (beside / "bundle").mkdir(parents=True)
    (beside / "helper.py").write_text("from bundle import part\nWORD = part.WORD\n")
    (beside / "bundle/__init__.py").write_text("")
    (beside / "bundle/part.py").write_text("WORD = 'one'\n")
    press.write(
        "press/odd.py",
        "from . import app\nimport os, helper as h\n\n@app.page('/odd/')\ndef odd():\n    return h.WORD\n",
    )
    site = (press.folder / "press/site.py").read_text()
    begin = f"import sys\n\nsys.path.append({str(beside)!r})\nfrom . import app, odd  # noqa\n"
    press.write("press/site.py", site.replace("from . import app\n", begin))
    press.build()
    assert press.build().rendered == 0
    (beside / "bundle/part.py").write_text("WORD = 'two'\n")
    press.same()
    assert press.read("odd/index.html") == "two"


def test_what_modules_read_while_they_are_imported_is_code_of_their_pages(press: Any) -> None:
    press.write("data/words.txt", "one")
    press.write(
        "press/odd.py",
        "from . import app\nimport os\nfrom pathlib import Path\n\n"
        "WORD = Path(__file__).parent.parent.joinpath('data/words.txt').read_text()\n"
        "FLAG = os.environ.get('PRESS_FLAG', 'unset')\n\n@app.page('/odd/')\ndef odd():\n    return WORD + FLAG\n",
    )
    models = (press.folder / "press/models.py").read_text()
    press.write("press/models.py", models.replace("from toolkit", "from . import odd  # noqa: F401\nfrom toolkit", 1))
    press.build()
    assert press.build().rendered == 0
    press.write("data/words.txt", "two")
    press.same()
    assert press.read("odd/index.html") == "twounset"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRESS_FLAG", "set")
        press.same()
        assert press.read("odd/index.html") == "twoset"
        assert press.build().rendered == 0


def write_odd(press: Any, code: str) -> None:
    """Have two pages, /odd/1/ and /odd/2/, that show what a function word() gives."""
    pages = "".join(f"@app.page('/odd/{number}/')\ndef odd_{number}():\n    return word()\n\n" for number in (1, 2))
    head = "from . import app\nfrom pathlib import Path\n\nFILE = Path(__file__).parent.parent / 'data/words.txt'\n"
    press.write("press/odd.py", f"{head}{code}\n{pages}")
    models = (press.folder / "press/models.py").read_text()
    press.write("press/models.py", models.replace("from toolkit", "from . import odd  # noqa: F401\nfrom toolkit", 1))


def rendered(report: Any) -> set[str]:
    """The pages that are made in English."""
    urls = {event.subject for event in report.events if event.kind == "rendered"}
    return {url for url in urls if not url.startswith("/es/")}


def test_what_a_function_keeps_is_read_by_each_page(press: Any) -> None:
    press.write("data/words.txt", "one")
    write_odd(press, "import functools\n\n@functools.cache\ndef word():\n    return FILE.read_text()\n")
    press.build()
    assert press.build().rendered == 0
    press.write("data/words.txt", "two")
    assert rendered(press.same()) == {"/odd/1/", "/odd/2/"}
    assert press.read("odd/2/index.html") == "two"


def test_what_a_module_reads_that_a_page_imports_is_read_by_each_page_after(press: Any) -> None:
    press.write("data/words.txt", "one")
    press.write("press/late.py", "from .odd import FILE\nWORD = FILE.read_text()\n")
    write_odd(press, "def word():\n    from .late import WORD\n    return WORD\n")
    press.build(workers=1)
    assert press.build(workers=1).rendered == 0
    press.write("data/words.txt", "two")
    assert rendered(press.same(workers=1)) >= {"/odd/1/", "/odd/2/"}
    assert press.read("odd/2/index.html") == "two"


def test_a_program_asked_while_modules_are_imported_makes_every_page_anew(press: Any) -> None:
    press.write("data/words.txt", "one")
    write_odd(
        press,
        "import subprocess\n\nWORD = subprocess.run(['cat', FILE], capture_output=True, text=True).stdout\n\n"
        "def word():\n    return WORD\n",
    )
    report = press.build()
    assert any("every page was rendered" in notice and "'cat'" in notice for notice in report.notices)
    press.write("data/words.txt", "two")
    report = press.same()
    assert report.rendered == report.pages
    assert press.read("odd/2/index.html") == "two"


def test_the_clock_asked_while_modules_are_imported_makes_every_page_anew(press: Any) -> None:
    write_odd(press, "import time\n\nNOW = str(time.time_ns())\n\ndef word():\n    return NOW\n")
    press.build()
    before = press.read("odd/1/index.html")
    report = press.build()
    assert report.rendered == report.pages
    assert any("the wall clock, at press/odd.py:7" in notice for notice in report.notices)
    assert press.read("odd/1/index.html") != before


def test_a_page_that_asks_for_the_time_is_made_by_each_build(press: Any) -> None:
    write_odd(press, "import time\n\ndef word():\n    return str(time.time_ns())\n")
    press.build()
    before = press.read("odd/1/index.html")
    assert rendered(press.build()) == {"/odd/1/", "/odd/2/"}
    assert press.read("odd/1/index.html") != before


@pytest.mark.parametrize("call", ["execute({}).fetchone()[0]", "fetch({})[0][0]"])
def test_a_page_that_asks_past_models_and_cursor_is_made_by_each_build(press: Any, call: str) -> None:
    statement = call.format("'SELECT count(*) FROM past_the_models'")
    press.sql("CREATE TABLE past_the_models (id INTEGER PRIMARY KEY)")
    write_odd(press, f"def word():\n    from .site import site\n    return str(site.database.{statement})\n")
    press.build()
    press.sql("INSERT INTO past_the_models VALUES (1)")
    report = press.same()
    assert rendered(report) == {"/odd/1/", "/odd/2/"}
    assert any("the statement 'SELECT count(*) FROM past_the_models'" in event.reason for event in report.events)
    assert press.read("odd/1/index.html") == "1"


def test_what_is_installed_is_code_of_pages_that_use_it(
    press: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "site-packages"
    (installed / "wordlib-1.0.dist-info").mkdir(parents=True)
    (installed / "wordlib.py").write_text("WORD = 'one'\n")
    monkeypatch.syspath_prepend(str(installed))
    write_odd(press, "import wordlib\n\ndef word():\n    return wordlib.WORD\n")
    press.build()
    assert press.build().rendered == 0
    (installed / "wordlib.py").write_text("WORD = 'two'\n")
    (installed / "wordlib-1.0.dist-info").rename(installed / "wordlib-2.0.dist-info")
    press.same()
    assert press.read("odd/1/index.html") == "two"


def test_a_page_that_enters_its_site_is_still_seen_with_a_readers_eyes(press: Any) -> None:
    write_odd(
        press,
        "def word():\n    from .models import Story\n    from .site import site\n\n"
        "    with site:\n        return repr([story.title for story in Story.objects.order_by('pk')])\n",
    )
    press.build()
    assert press.build().rendered == 0
    visible = press.read("odd/1/index.html")
    press.sql("UPDATE press_story SET title = 'Another' WHERE id = 2")
    assert rendered(press.same()) >= {"/odd/1/", "/odd/2/"}
    assert "Another" in press.read("odd/1/index.html")
    assert visible.count(",") + 1 < press.sql("SELECT count(*) FROM press_story")[0][0]
