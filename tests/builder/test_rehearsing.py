"""Compiled questions that a build leaves to the next one. That they are the right ones is asserted with the models.

Every build of the press has those of the builds before, whichever test makes it, and whichever made them.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.servers import SERVERS
from toolkit import Site
from toolkit.builder.rehearsing import know_questions
from toolkit.database import Database
from toolkit.models.compile import compile_query
from toolkit.models.query import Query
from toolkit.site.watching import loading
from toolkit.stamps import DIGEST_BYTES

STORY = "UPDATE press_story SET body = 'Another text.' WHERE id = 6"


@pytest.fixture
def rehearsed(press: Any, own_questions: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A press whose first build was made by two processes, and rehearsed."""
    monkeypatch.setattr("toolkit.builder.runs.WORTH_A_REHEARSAL", 10)
    monkeypatch.setattr("toolkit.builder.rehearsing.MANY_PAGES", 1)
    monkeypatch.setattr("toolkit.builder.inprocess.FEW_PAGES", 10)
    monkeypatch.setattr("toolkit.builder.runs.FEW_PAGES", 10)
    press.build(workers=2)
    return press


def kept(questions: Path) -> dict[str, int]:
    """For each state of the site, how many questions its builds left."""
    decode = msgspec.msgpack.Decoder(dict[str, bytes]).decode
    return {file.name: len(decode(file.read_bytes()[DIGEST_BYTES:])) for file in questions.iterdir()}


def compile_searches(database: Any, query: Query, sight: Any) -> Any:
    """What is searched is not kept: an index is looked after when it is compiled."""
    assert "search" in repr(query.operations), f"compiled {query}"
    return compile_query(database, query, sight)


def test_an_edit_after_a_build_of_everything_compiles_nothing(rehearsed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rehearsed.sql(STORY)
    monkeypatch.setattr("toolkit.models.compile.compile_query", compile_searches)
    report = rehearsed.build()
    assert any(event.kind == "rendered" for event in report.events)
    assert b"Another text." in b"".join(path.read_bytes() for path in rehearsed.out.rglob("*.html"))


@pytest.mark.parametrize(
    "edit",
    [
        lambda press: press.replace("press/filters.py", '"!"', '"?"'),
        lambda press: press.replace("toolkit.toml", "The Press", "The Mess"),
    ],
    ids=["code", "a setting"],
)
def test_questions_of_another_state_of_the_site_are_not_asked(rehearsed: Any, own_questions: Path, edit: Any) -> None:
    before = kept(own_questions)
    assert all(before.values())
    edit(rehearsed)
    rehearsed.build()
    after = kept(own_questions)
    assert len(after) == len(before) + 1
    assert all(after.values())


def test_a_damaged_file_is_of_no_account(rehearsed: Any, own_questions: Path) -> None:
    for file in own_questions.iterdir():
        file.write_bytes(b"nothing of the kind")
    rehearsed.sql(STORY)
    rehearsed.build()
    assert all(kept(own_questions).values())


SITE = {
    "toolkit.toml": 'site = "own.site:site"\ntitle = "Own"\nbase_url = "https://own.example"\ndatabase = "sqlite:///own.db"\n',
    "own/__init__.py": "from toolkit import App\n\napp = App('own')\n",
    "own/models.py": """
from toolkit import models


class Note(models.Model):
    slug = models.SlugField(unique=True)
    text = models.TextField()
""",
    "own/pages.py": """
from . import app
from .models import Note


@app.page("/<slug>/", each=Note.objects.all(), template="note.html")
def note(note):
    return {"same": Note.objects.filter(text=note.text)}
""",
    "own/site.py": "from toolkit import Site\n\nfrom . import app\n\nsite = Site(__file__, apps=[app])\n",
    "templates/note.html": "{{ note.text }} {{ same|length }}",
}


def test_an_edit_from_a_cold_process_imports_no_sqlalchemy(tmp_path: Path) -> None:
    for name, text in SITE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    command = (
        "import sys; from toolkit.cli.main import main\n"
        "try: main()\n"
        "finally: print([name for name in sys.modules if name.split('.')[0] == 'sqlalchemy'])"
    )

    def build(edit: str, *options: str) -> str:
        with closing(sqlite3.connect(tmp_path / "own.db", isolation_level=None)) as connection:
            if edit:
                connection.execute(edit)
        done = subprocess.run(
            [sys.executable, "-c", command, "build", "--site", tmp_path, *options], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    build("")
    build("INSERT INTO own_note VALUES (1, 'one', 'text'), (2, 'two', 'text')")
    for text in ("other", "a third"):
        told = build(f"UPDATE own_note SET text = '{text}' WHERE id = 1")
        assert (tmp_path / "build/one/index.html").read_text() == f"{text} 1"
    assert told.splitlines()[-1] == "[]"
    assert build("", "--clean").splitlines()[-1] != "[]"  # and believes nothing that a build left
    assert build("", "--paranoid").splitlines()[-1] != "[]"


@pytest.mark.parametrize("server", SERVERS)
def test_questions_for_another_server_are_not_asked(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "toolkit.toml").touch()

    def evidence() -> str:
        with loading(tmp_path) as loaded:
            site = Site(tmp_path, apps=[], settings={"base_url": "https://own.example", "database": server})
            site.prepare()
        know_questions(site, loaded)
        found: str = site.database.known._place.name
        site.database.close()
        return found

    before = evidence()
    assert evidence() == before
    kind = type(Database(server).backend)
    told = kind.server
    monkeypatch.setattr(kind, "server", lambda backend, connection: f"the next after {told(backend, connection)}")
    assert evidence() != before
