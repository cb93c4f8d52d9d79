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
