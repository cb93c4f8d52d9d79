"""Kinds of databases: found by the URL's scheme, the toolkit's own and those that other distributions bring."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.servers import SERVERS, opened_apart
from tests.tables import resolved
from toolkit import migrations, models
from toolkit.database import Backend, Database, spelling
from toolkit.errors import DatabaseError, DatabaseUnavailable, FieldError, IntegrityError, MigrationError
from toolkit.migrations.tables.comparing import differences
from toolkit.models import Func, Lower, Q
from toolkit.models.inspecting import inspect_models
from toolkit.models.resolve import resolve_models
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered

MARIADB = [url for url in SERVERS if spelling("mysql") is type(Database(url).backend)]

OTHERS = """
import sqlite3
from toolkit.database import Backend
from toolkit.database.backends.sqlite import SQLite

class Ledger(SQLite):
    '''A SQLite file that writes down what is done to it.'''

    snapshot = (*SQLite.snapshot, "SELECT 'a snapshot of the ledger'")
    deferrable = False
    partial_indexes = False
    places_nulls = False
    nulls_first = False
    nested_questions = 1

    def __init__(self, url, folder):
        super().__init__(url, folder)
        self.opened = 0

    def prepare(self, connection):
        super().prepare(connection)
        connection.create_function("entered", 1, str.strip, deterministic=True)

    def connect(self):
        self.opened += 1
        return super().connect()

class Far(Backend):
    '''A database of another kind: all that is known of it is how to ask it.'''

    dialect, driver, placeholder, paramstyle, remote = "far", "sqlite", "?", "qmark", False

    def connect(self):
        path = self.folder / self.url.partition(":///")[2]
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    def table_names(self, database):
        return [name for (name,) in database.fetch("SELECT name FROM sqlite_master WHERE type = 'table'")]

nothing = 41
"""


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Another distribution, installed, with two entry points."""
    folder = tmp_path / "installed"
    (folder / "ledgers-1.0.dist-info").mkdir(parents=True)
    (folder / "ledgers.py").write_text(OTHERS)
    (folder / "ledgers-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: ledgers\nVersion: 1.0\n")
    points = (
        "[toolkit.backends]\nledger = ledgers:Ledger\nfar = ledgers:Far\nwrong = ledgers:nothing\ngone = ledgers:Gone\n"
    )
    (folder / "ledgers-1.0.dist-info" / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(folder)
    yield folder
    sys.modules.pop("ledgers", None)


def test_a_backend_of_another_distribution_serves_models(distribution: Path, tmp_path: Path) -> None:
    class Note(models.Model):
        text = models.CharField(max_length=20, unique=True)

    everything, problems = resolve_models({"desk": [Note]})
    assert not problems
    database: Any = Database("ledger:///notes.db", folder=tmp_path)
    database.schema = Schema(everything, database.dialect)
    create_tables(database)
    with entered(Scope(None, database)):
        Note.objects.bulk_create([Note(text="one"), Note(text="two")])
        with database.counted() as queries, database.snapshot():
            assert [note.text for note in Note.objects.order_by("-text")] == ["two", "one"]
        with pytest.raises(IntegrityError, match="Note with this text already exists"):
            Note.objects.create(text="one")
    assert "SELECT 'a snapshot of the ledger'" in queries
    assert (database.backend.opened, type(database.backend).__name__, database.dialect) == (1, "Ledger", "sqlite")
    assert (tmp_path / "notes.db").exists()
    database.close()


class Account(models.Model):
    name = models.CharField(max_length=20)


class Entry(models.Model):
    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    text = models.CharField(max_length=20, null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(text=Func("text", function="entered")), name="entry_text")]


BOOKS = resolved({"books": [Account, Entry]})


@pytest.fixture
def books(distribution: Path, tmp_path: Path) -> Iterator[Any]:
    database: Any = Database("ledger:///books.db", folder=tmp_path)
    database.schema = Schema(BOOKS, database.dialect, backend=database.spelling)
    migrations.create_tables(database, BOOKS)
    with entered(Scope(None, database)):
        yield database
    database.close()


def test_what_a_backend_says_that_it_can_is_asked_and_not_what_others_of_its_dialect_can(books: Any) -> None:
    (sql,) = books.fetch("SELECT group_concat(sql) FROM sqlite_master")[0]
    assert "REFERENCES books_account (id)" in sql
    assert "DEFERRABLE" not in sql
    with books.counted() as queries:
        list(Entry.objects.order_by("text"))
    assert "ORDER BY books_entry.text IS NULL DESC, books_entry.text" in queries[0]
    inner = Entry.objects.filter(account__in=Account.objects.filter(name="a")).values("account")
    with pytest.raises(FieldError, match="nested more than 1 deep"):
        list(Account.objects.filter(pk__in=inner))

    class Drawer(models.Model):
        number = models.IntegerField()

        class Meta:
            constraints = [models.UniqueConstraint(fields=["number"], condition=Q(number__gt=0), name="positive")]

    (problem,) = Schema(resolved({"books": [Drawer]}), "sqlite", backend=books.spelling).problems()
    assert "Ledger cannot keep the UniqueConstraint 'positive'" in str(problem)


def test_functions_of_a_backend_are_known_where_tables_are_compared(books: Any) -> None:
    """They are compared with those that are made in memory."""
    assert differences(books, BOOKS) == []
    with pytest.raises(IntegrityError, match="entry_text"):
        Entry.objects.create(account=Account.objects.create(name="a"), text=" x")


def test_a_database_of_another_dialect_is_inspected_and_read(distribution: Path, tmp_path: Path) -> None:
    database: Any = Database("far:///books.db", folder=tmp_path)
    database.execute("CREATE TABLE books_account (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL)")
    database.execute("INSERT INTO books_account VALUES (1, 'Ann'), (2, 'Bob')")
    assert 'db_table = "books_account"' in inspect_models(database)
    database.schema = Schema(BOOKS, database.dialect, backend=database.spelling)
    with entered(Scope(None, database)):
        found = Account.objects.filter(name__startswith="B") | Account.objects.filter(pk=1)
        assert [account.name for account in found.order_by("-name")] == ["Bob", "Ann"]
        assert Account.objects.filter(pk=2).update(name="Bea") == 1
    with pytest.raises(MigrationError, match="migrations do not know far yet"):
        migrations.create_tables(database, BOOKS)
    database.close()


def test_an_entry_point_that_is_no_backend_is_refused(distribution: Path) -> None:
    with pytest.raises(DatabaseError, match=r"'ledgers:nothing' of toolkit\.backends gives 41, which is no backend"):
        Database("wrong://here")
    with pytest.raises(
        DatabaseError, match=r"'ledgers:Gone' of toolkit\.backends cannot be loaded: module 'ledgers' has"
    ):
        Database("gone://here")


def test_a_dialect_that_nobody_speaks_is_refused() -> None:
    with pytest.raises(DatabaseError, match=r"no backend speaks the dialect 'sqlit'\. Did you mean 'sqlite'"):
        spelling("sqlit")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgress://ann:s3cret@db.example/news", r"'postgress://ann:\*\*\*@db\.example/news' names no database"),
        (
            "postgresql://ann:s3cret@db.example:five/news",
            r"ann:\*\*\*@db\.example:five/news' is no URL: Port could not be",
        ),
        ("mysql://ann:s3cret@[::1/news", r"ann:\*\*\*@\[::1/news' is no URL: Invalid IPv6 URL\. Such as"),
    ],
)
def test_what_is_no_url_is_told_without_its_password(url: str, told: str) -> None:
    with pytest.raises(DatabaseError, match=told) as refused:
        Database(url)
    assert "s3cret" not in str(refused.value)


def test_the_nearest_backend_is_all_that_another_must_change() -> None:
    base = Backend("other://host/name", Path())
    assert (base.path, base.in_memory, base.shares_snapshots, base.quoted('a"b')) == (None, False, False, '"a""b"')
    assert spelling("mysql").quoted("a`b") == "`a``b`"


BROKEN = {
    "unique": "INSERT INTO child (id, parent_id, name, score) VALUES (2, 1, 'one', 1)",
    "not_null": "INSERT INTO child (id, parent_id, name, score) VALUES (2, 1, NULL, 1)",
    "foreign_key": "INSERT INTO child (id, parent_id, name, score) VALUES (2, 41, 'two', 1)",
    "check": "INSERT INTO child (id, parent_id, name, score) VALUES (2, 1, 'two', -1)",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_constraint_is_known_by_kind_and_name(any_database: Any, kind: str) -> None:
    any_database.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
    any_database.execute(
        "CREATE TABLE child (id INTEGER PRIMARY KEY, parent_id INTEGER NOT NULL, name VARCHAR(9) NOT NULL, "
        "score INTEGER, CONSTRAINT child_name_key UNIQUE (name), CONSTRAINT child_score_check CHECK (score >= 0), "
        "CONSTRAINT child_parent_fkey FOREIGN KEY (parent_id) REFERENCES parent (id))"
    )
    any_database.execute("INSERT INTO parent VALUES (1)")
    any_database.execute("INSERT INTO child (id, parent_id, name, score) VALUES (1, 1, 'one', 1)")
    with pytest.raises(IntegrityError, match=r"Nothing was written") as raised:
        any_database.execute(BROKEN[kind])
    assert raised.value.kind == kind
    names = {"unique": "name", "not_null": "name", "foreign_key": "", "check": "child_score_check"}
    assert names[kind] in (raised.value.constraint or "")
    assert raised.value.detail


def test_a_server_tells_its_version(any_database: Any) -> None:
    if any_database.backend.remote:
        asked = any_database.fetch(
            "SHOW server_version_num" if any_database.dialect == "postgresql" else "SELECT VERSION()"
        )
        told = any_database.backend.server(any_database.connection)
        assert told.removeprefix("5.5.5-").startswith(asked[0][0].partition("-")[0])


# what a kind of database cannot do is refused before anything is made


def problems_of(dialect: str, **fields: Any) -> list[str]:
    declared = type("Wire", (models.Model,), {"__module__": __name__, **fields})
    everything, problems = resolve_models({"desk": [declared]})
    assert not problems
    return [str(problem) for problem in Schema(everything, dialect).problems()]


def lowered() -> type:
    return type("Meta", (), {"constraints": [models.UniqueConstraint(Lower("text"), name="lowered")]})


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            lambda: {"text": models.TextField(unique=True)},
            "desk.Wire.text: MySQL cannot index text of more than 768 characters. Use a CharField",
        ),
        (
            lambda: {"text": models.CharField(max_length=800, db_index=True)},
            "cannot index text of more than 768 characters",
        ),
        (
            lambda: {"text": models.TextField(), "Meta": lowered()},
            "desk.Wire.Meta: MySQL cannot keep UniqueConstraint 'lowered': the text of Lower(F('text')) has no bound. "
            "Use fields with a max_length, or Cast(..., CharField(max_length=768)).",
        ),
    ],
)
def test_what_mariadb_cannot_keep_is_refused_at_prepare(fields: Any, told: str) -> None:
    assert told in problems_of("mysql", **fields())[0]
    assert problems_of("sqlite", **fields()) == problems_of("postgresql", **fields()) == []


def test_a_database_without_postgis_says_so() -> None:
    hint = Database("postgresql://desk@localhost/news").backend.hint('type "geometry" does not exist')
    assert hint == "Geometry needs PostGIS: CREATE EXTENSION postgis, in this database."


# MariaDB


@pytest.mark.parametrize(
    ("url", "without"),
    [
        ("mysql://desk@localhost/news", True),
        ("mysql://desk@127.0.0.1:3307/news", True),
        ("mariadb://desk@[::1]/news", True),
        ("mysql://desk@/news?unix_socket=/run/mysqld/mysqld.sock", True),
        ("mysql://desk@db.example.org/news", False),
        ("mysql://desk@127.0.0.1/news?ssl_ca=/etc/ssl/ca.pem", False),
        ("mysql+mysqldb://desk@127.0.0.1/news", False),
    ],
)
def test_only_what_stays_on_this_machine_needs_no_tls(url: str, without: bool) -> None:
    """PyMySQL's option; mysqlclient knows none of this name."""
    backend: Any = Database(url).backend
    assert backend.connect_options().get("ssl_disabled", False) is without


def test_a_greeting_is_waited_for_as_long_as_for_the_way_to_the_server() -> None:
    """One that is stopped takes a connection, which is no use before it says so."""
    backends: list[Any] = [
        Database(f"mysql://desk@localhost/news{bound}").backend for bound in ("", "?connect_timeout=3")
    ]
    assert [backend.connect_options()["read_timeout"] for backend in backends] == [10, 3]


def test_a_bound_on_connecting_that_is_no_number_is_told() -> None:
    with pytest.raises(DatabaseUnavailable, match=r"connect_timeout=soon cannot be reached: .*'soon'"):
        Database("mysql://desk@localhost/news?connect_timeout=soon").fetch("SELECT 1")


@pytest.fixture
def mariadb() -> Iterator[Any]:
    if not MARIADB:
        pytest.skip("TOOLKIT_TEST_DATABASES names no MariaDB server")
    database = opened_apart(MARIADB[0])
    yield database
    database.drop()


class Word(models.Model):
    text = models.CharField(max_length=20, unique=True)
    long = models.TextField(blank=True)
    seen = models.DateTimeField(null=True)
    data = models.BinaryField(null=True)


class Hen(models.Model):
    egg = models.ForeignKey("Egg", on_delete=models.CASCADE, related_name="hens")


class Egg(models.Model):
    hen = models.ForeignKey(Hen, on_delete=models.CASCADE, related_name="eggs")


class Feather(models.Model):
    hen = models.ForeignKey(Hen, on_delete=models.DO_NOTHING, related_name="+")


EVERYTHING = resolved({"farm": [Word, Hen, Egg, Feather]})


def create_tables(database: Any) -> None:
    from sqlalchemy.schema import CreateTable

    with database.references_held():  # tables may refer to each other in a circle, too
        for table in database.schema.metadata.tables.values():
            database.execute(str(CreateTable(table).compile(dialect=database.sqlalchemy_dialect)))


@pytest.fixture
def farm(mariadb: Any) -> Iterator[Any]:
    mariadb.schema = Schema(EVERYTHING, mariadb.dialect)
    create_tables(mariadb)
    with entered(Scope(None, mariadb)):
        yield SimpleNamespace(database=mariadb)


def test_mariadb_tells_texts_apart_as_the_others_do(farm: Any) -> None:
    words = ["a", "A", "a ", "ä", "ß", "ss", "𝔞", "\\", "%", "'"]
    Word.objects.bulk_create([Word(text=word) for word in words])
    assert [word.text for word in Word.objects.order_by("text")] == sorted(words)
    for word in words:
        assert Word.objects.get(text=word).text == word
    with pytest.raises(IntegrityError, match="Word with this text already exists") as raised:
        Word.objects.create(text="a")
    assert (raised.value.constraint, "Duplicate entry" in raised.value.detail) == ("farm_word_text_key", True)


def test_mariadb_keeps_what_is_long_and_exact(farm: Any) -> None:
    from datetime import UTC, datetime

    moment = datetime(2026, 3, 1, 12, 30, 15, 123_456, tzinfo=UTC)
    long = "x" * 100_000
    Word.objects.create(text="w", long=long, seen=moment, data=bytes(range(256)) * 400)
    found = Word.objects.get()
    assert (found.long, found.seen, found.data) == (long, moment, bytes(range(256)) * 400)
    with pytest.raises(DatabaseError, match="Data too long for column 'text'"):
        farm.database.execute("INSERT INTO farm_word (text, `long`) VALUES (%s, '')", ["x" * 21])
    Word.objects.create(pk=0, text="nought")
    assert Word.objects.get(pk=0).text == "nought"


def test_rows_too_many_for_one_statement_get_their_own_keys(farm: Any) -> None:
    rows = Word.objects.bulk_create([Word(text=f"w{n}", long="x" * 40_000) for n in range(60)])
    found = dict(Word.objects.values_list("text", "pk"))
    assert {row.text: row.pk for row in rows} == found
    assert len(set(found.values())) == 60


def test_rows_in_a_circle_are_written_and_go_together(farm: Any) -> None:
    database = farm.database
    with database.atomic(), database.references_held():
        Hen(pk=1, egg_id=1).save()
        Egg(pk=1, hen_id=1).save()
    assert Hen.objects.get().delete() == {"farm.Hen": 1, "farm.Egg": 1}
    with pytest.raises(IntegrityError, match="FOREIGN KEY constraint failed: farm_hen_egg_id_fkey"):
        Hen(pk=2, egg_id=2).save()


def test_a_circle_does_not_go_while_something_still_refers_to_it(farm: Any) -> None:
    database = farm.database
    with database.atomic(), database.references_held():
        Hen(pk=1, egg_id=1).save()
        Egg(pk=1, hen_id=1).save()
    feather = Feather.objects.create(hen_id=1)
    with pytest.raises(IntegrityError, match=r"Hen cannot be deleted: Feather\.hen refers to it"):
        Hen.objects.get().delete()
    assert (Hen.objects.count(), Egg.objects.count()) == (1, 1)
    feather.delete()
    Egg.objects.get().delete()
    assert Hen.objects.count() == 0


def test_a_server_too_old_is_told(monkeypatch: pytest.MonkeyPatch, mariadb: Any) -> None:
    from toolkit.database.backends import mysql

    monkeypatch.setattr(mysql, "OLDEST", {True: (99, 0), False: (99, 0)})
    mariadb.close()
    with pytest.raises(DatabaseUnavailable, match=r"MariaDB 10\.\d+.* is older than 99\.0"):
        mariadb.fetch("SELECT 1")
    monkeypatch.undo()


def test_a_snapshot_sees_one_instant_on_mariadb(farm: Any) -> None:
    other: Any = Database(MARIADB[0])
    name = farm.database.fetch("SELECT database()")[0][0]
    other.on_connect(lambda connection: connection.cursor().execute(f"USE {name}"))
    with farm.database.snapshot():
        other.execute("INSERT INTO farm_word (text, `long`) VALUES ('new', '')")
        assert Word.objects.count() == 0
        with pytest.raises(DatabaseError, match="READ ONLY"):
            farm.database.execute("DELETE FROM farm_word")
    assert Word.objects.count() == 1
    other.close()
