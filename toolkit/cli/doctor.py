"""``toolkit doctor``: prove that this machine has all that the site needs."""

from __future__ import annotations

import platform
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from toolkit.builder import Builder
from toolkit.cli.invocation import Invocation, invocation, json_option, site_options
from toolkit.cli.sites import open_site
from toolkit.database import DEFAULT
from toolkit.errors import ToolkitError

LIBRARIES = (
    "publishing-toolkit",
    "jinja2",
    "sqlalchemy",
    "alembic",
    "sqlite-utils",
    "werkzeug",
    "granian",
    "feedgen",
    "lxml",
    "shapely",
    "babel",
    "pyromark",
    "nh3",
)
SQLITE_FEATURES = {
    "R*Tree": "CREATE VIRTUAL TABLE proof USING rtree(id, a, b)",
    "FTS5": "CREATE VIRTUAL TABLE proof USING fts5(body)",
    "JSON": "SELECT json_extract('{\"a\": 1}', '$.a')",
    "window functions": "SELECT row_number() OVER ()",
}
"""What the toolkit asks of SQLite, each with a statement that proves it."""


@dataclass(frozen=True)
class Proof:
    """One thing that was looked at.

    Args:
        group: ``version``, ``sqlite``, ``site``, ``folder`` or ``setting``.
        name: What.
        value: What was found.
        ok: Whether the site can work with it.
        hint: The next step, if not.
    """

    group: str
    name: str
    value: str
    ok: bool = True
    hint: str = ""


@click.command()
@json_option
@site_options
def doctor() -> None:
    """Prove that this machine has all that the site needs.

    That is versions, SQLite's features, the databases, folders, settings. Everything is tried, not looked up:
    SQLite's features are used, folders are written to, each database is asked.
    """
    asked = invocation()
    proofs = [*_versions(), *_sqlite(), *_site(asked)]
    failed = [proof for proof in proofs if not proof.ok]
    if asked.as_json:
        asked.output.data({"ok": not failed, "proofs": [vars(proof) for proof in proofs]})
    else:
        for proof in proofs:
            mark = "ok  " if proof.ok else "FAIL"
            asked.output.say(f"{mark} {proof.group:8} {proof.name}: {proof.value}", style=None if proof.ok else "red")
            if proof.hint:
                asked.output.say(f"     {'':8} {proof.hint}")
        asked.output.say(
            f"{len(failed)} of {len(proofs)} failed" if failed else "all is well", style="red" if failed else "green"
        )
    if failed:
        click.get_current_context().exit(1)


def _versions() -> Iterator[Proof]:
    right = sys.version_info >= (3, 11)
    yield Proof(
        "version",
        "python",
        f"{platform.python_version()} ({sys.executable})",
        right,
        "" if right else "Use 3.11 or newer.",
    )
    yield Proof("version", "platform", platform.platform())
    for name in LIBRARIES:
        try:
            yield Proof("version", name, version(name))
        except PackageNotFoundError:
            yield Proof("version", name, "not installed", False, f"Run: pip install {name}")


def _sqlite() -> Iterator[Proof]:
    yield Proof("sqlite", "version", sqlite3.sqlite_version)
    for name, statement in SQLITE_FEATURES.items():
        connection = sqlite3.connect(":memory:")
        try:
            connection.execute(statement).fetchall()
            yield Proof("sqlite", name, "works")
        except sqlite3.Error as error:
            yield Proof(
                "sqlite", name, str(error), False, "This Python's SQLite was built without it; use another Python."
            )
        finally:
            connection.close()


def _site(asked: Invocation) -> Iterator[Proof]:
    """The site, as far as it can be opened."""
    try:
        site = open_site()
    except ToolkitError as error:
        yield Proof("site", "declarations", str(error), False)
        return
    yield Proof("site", "folder", str(site.folder))
    yield Proof("site", "declarations", f"{len(site.apps)} apps, {len(site.models)} models, {len(site.routes)} routes")
    for database in site.databases.values():
        yield _database(database)
    for folder in (Builder(site).output, site.state_folder):
        yield _attempt("folder", str(folder), lambda folder=folder: _write(folder))  # type: ignore[misc]  # bound at once
    for name in dir(site.settings):
        source = site.settings.source(name)
        if source != "default":
            yield Proof("setting", name, f"from {source}")


def _database(database: Any) -> Proof:
    named = "" if database.alias == DEFAULT else f"{database.alias} "
    return _attempt("site", f"database {named}{database.safe_url}", lambda: _ask(database))


def _ask(database: Any) -> str:
    database.fetch("SELECT 1")
    return "answers"


def _write(folder: Path) -> str:
    """Write a file where the folder is, or will be."""
    place = folder
    while not place.exists():
        place = place.parent
    with tempfile.NamedTemporaryFile(dir=place, prefix=".toolkit-doctor-"):
        return "can be written" if place == folder else f"can be made in {place}"


def _attempt(group: str, name: str, attempt: Callable[[], str]) -> Proof:
    try:
        return Proof(group, name, attempt())
    except ToolkitError as error:
        return Proof(group, name, error.message, False, error.hint or "")
    except OSError as error:
        return Proof(group, name, str(error), False, "Mend its rights, or choose another folder in toolkit.toml.")
