"""Builds that are killed, crowded or starved: the next one equals a clean one.

``KILLS=300`` kills that many builds.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from toolkit.errors import ToolkitError

KILLS = int(os.environ.get("KILLS", "6"))


def many(m: Any) -> None:
    """Forty stories more: with those that there are, more than one batch of ``small_batches``."""
    section, moment = m.Section.objects.first(), m.Story.objects.get(pk=6).published
    for number in range(10, 50):
        row = m.Story.objects.create(
            title=f"Story {number}", slug=f"story-{number}", section=section, published=moment - timedelta(hours=number)
        )
        row.tags.set([1 + number % 3])


@pytest.fixture(scope="module")
def big(planted: Path, make_press: Any, tmp_path_factory: pytest.TempPathFactory, small_batches: None) -> Any:
    """A press of some 120 pages, edited on from test to test."""
    import shutil

    folder = tmp_path_factory.mktemp("big") / "site"
    shutil.copytree(planted, folder)
    press = make_press(folder)
    press.edit(many)
    press.build()
    return press


def start(function: Any) -> int:
    """Run a function in a process group of its own."""
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 2)
        try:
            function()
        finally:
            os._exit(0)
    return pid


def kill(pid: int) -> None:
    """End a process and its children, as a power cut would."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    time.sleep(0.03)  # until the children are gone, and the lock with them


def edit_at_random(press: Any, chance: random.Random) -> None:
    """Something that makes a few or all pages stale."""
    number = chance.randrange(4)
    if number == 0:
        press.sql("UPDATE press_story SET title = title || '!' WHERE id = ?", chance.randrange(7, 47))
    elif number == 1:
        press.write("templates/parts/banner.html", f"<b>{chance.random()}</b>")
    elif number == 2:
        press.sql(
            "UPDATE press_story SET slug = 's' || ? WHERE id = ?", chance.randrange(10**6), chance.randrange(7, 47)
        )
    else:
        status = chance.choice(["draft", "live"])
        press.sql("UPDATE press_story SET status = ? WHERE id > ?", status, chance.randrange(7, 47))


def test_a_build_killed_at_any_instant_and_run_again_equals_a_clean_one(big: Any, tree_of: Any) -> None:
    chance = random.Random(7)
    last = 0.0
    for round_ in range(KILLS):
        for _ in range(chance.randrange(1, 4)):
            edit_at_random(big, chance)
            workers = chance.choice([1, 2])
            pid = start(lambda workers=workers: big.build(workers=workers))
            time.sleep(
                chance.random() * 0.4 if chance.random() < 0.5 or not last else max(last - chance.random() * 0.08, 0)
            )
            kill(pid)
        began = time.monotonic()
        if chance.random() < 0.5:  # what the killed build had made new may be gone already
            edit_at_random(big, chance)
        big.build()
        last = time.monotonic() - began
        built, clean = tree_of(big.out), big.clean()
        wrong = [path for path in built.keys() | clean.keys() if built.get(path) != clean.get(path)]
        assert not wrong, (round_, wrong[:5])
        assert not big.out.with_name(".out.staging").exists()


def test_somebody_who_writes_all_the_time_disturbs_nothing(big: Any, tree_of: Any) -> None:
    """Every build shows one state of the rows: all titles carry the same mark."""
    database = big.folder / "press.db"

    def write() -> None:
        connection = sqlite3.connect(database, isolation_level=None, timeout=30)
        for number in range(10**6):
            connection.execute("UPDATE press_story SET title = 'mark-' || ? || '-'", (number,))
            time.sleep(0.002)

    writer = start(write)
    try:
        for workers in (1, 2, 3):
            big.build(workers=workers, clean=True)
            text = b"".join(body for path, body in tree_of(big.out).items() if "es/" not in path)
            marks = {mark.split(b"-")[0] for mark in text.split(b"mark-")[1:]}
            assert len(marks) == 1, marks
    finally:
        kill(writer)
    big.same()


def test_files_edited_while_a_build_runs_are_made_good_by_the_next(big: Any, tree_of: Any) -> None:
    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            number += 1
            big.write("data/figures.txt", str(number))
            big.write("templates/parts/banner.html", f"<b>{number}</b>")
            big.write("static/img/back.svg", f"<svg>{number}</svg>")
            big.write("locale/es/LC_MESSAGES/messages.po.new", MESSAGES.format(number))
            os.replace(
                big.folder / "locale/es/LC_MESSAGES/messages.po.new", big.folder / "locale/es/LC_MESSAGES/messages.po"
            )
            time.sleep(0.01)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for workers in (1, 2, 3):
            try:
                big.build(workers=workers)
            except ToolkitError as error:
                assert "changed while the build ran" in str(error)
    finally:
        done.set()
        thread.join()
    big.same()


MESSAGES = """msgid ""
msgstr ""
"Language: es\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Read more"
msgstr "Leer {}"
"""


def test_a_database_that_may_only_be_read_is_built_from(press: Any) -> None:
    """Opened read-only by SQLite itself, since the tests may run as root."""
    press.take_built()
    press.sql("UPDATE press_story SET slug = 'moved' WHERE id = 2")
    press.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    script = press.folder / "press/models.py"
    script.write_text(script.read_text() + READ_ONLY)
    report = press.build()
    assert any("could not be remembered" in notice for notice in report.notices)
    assert (press.out / "sport/moved/index.html").exists()
    assert press.build().rendered == 0


READ_ONLY = """
import sqlite3 as _sqlite

_connect = _sqlite.connect


def _read_only(path, *arguments, **options):
    connection = _connect(path, *arguments, **options)
    if str(path).endswith("press.db"):
        connection.execute("PRAGMA query_only=ON")
    return connection


_sqlite.connect = _read_only
"""
