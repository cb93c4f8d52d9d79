"""Models written for a database that others made: they are imported, resolved, and read its rows."""

from __future__ import annotations

import io
import sys
import types
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from tests.servers import SERVERS, opened_apart
from toolkit.database import Database
from toolkit.errors import DatabaseError, FieldError, ValidationError
from toolkit.models import DateField, JSONField, Max, Min, Model
from toolkit.models.inspecting import inspect_models
from toolkit.models.resolve import models_in, resolve_models
from toolkit.models.schema import Schema
from toolkit.models.states import capture
from toolkit.serialization import dump, format_of
from toolkit.trace import Scope, Trace, entered

ARCHIVE = sa.MetaData()
KEY = {"primary_key": True}


def table(name: str, *columns: Any) -> None:
    sa.Table(name, ARCHIVE, *columns)


def refer(name: str, to: str, **options: Any) -> Any:
    return sa.Column(name, sa.Integer, sa.ForeignKey(to), **options)


def words(name: str, length: int = 50, **options: Any) -> Any:
    return sa.Column(name, sa.String(length), **options)


def number(name: str = "id", **options: Any) -> Any:
    return sa.Column(name, sa.Integer, **options)


for _name in (
    "desks", "regions", "agencies", "licences", "formats", "cameras", "roles", "topics", "editions", "printers",
    "languages", "sources",
):  # fmt: skip
    table(_name, number(**KEY), words("name", nullable=False, unique=True))

table(
    "staff", number(**KEY), words("Full Name", nullable=False), refer("desk_id", "desks.id"), refer("boss", "staff.id")
)
table("passes", refer("staff_id", "staff.id", **KEY, autoincrement=False), words("code", 12, unique=True))
table(
    "articles",
    number("ArticleID", **KEY),
    words("class", nullable=False),
    sa.Column("body", sa.Text),
    refer("author", "staff.id", nullable=False),
    refer("editor", "staff.id"),
    sa.Column("filed", sa.DateTime, nullable=False),
    sa.Column("issue", sa.Date),
    sa.Column("price", sa.Numeric(8, 2)),
    sa.Column("score", sa.Double),
    sa.Column("printed", sa.Boolean, nullable=False),
    sa.Column("size", sa.SmallInteger),
    sa.Column("views", sa.BigInteger),
    sa.Column("scan", sa.LargeBinary),
)
table("versions", refer("article", "articles.ArticleID", **KEY), number("no", **KEY), sa.Column("text", sa.Text))
table("article_topics", refer("article_id", "articles.ArticleID", **KEY), refer("topic_id", "topics.id", **KEY))
table(
    "pictures",
    number(**KEY),
    refer("article_id", "articles.ArticleID"),
    words("agency", 50),
    number("page"),
    number("place"),
    sa.ForeignKeyConstraint(["agency"], ["agencies.name"]),
    sa.UniqueConstraint("page", "place", name="pictures_place_key"),
)
table("captions", number(**KEY), refer("picture_id", "pictures.id", unique=True), words("text", 200))
table("credits", number("article", nullable=False), number("no", nullable=False), words("who"),
      sa.ForeignKeyConstraint(["article", "no"], ["versions.article", "versions.no"]))  # fmt: skip
table(
    "2nd_editions",
    number(**KEY),
    words("save"),
    words("2nd"),
    words("a__b"),
    words("größe"),
    words("a b"),
    words("a-b"),
)
table("settings", words("key", 40, **KEY), words("value"))
for _name in ("letters", "obituaries", "weather", "crosswords", "recipes", "horoscopes", "corrections", "adverts"):
    table(
        _name, number(**KEY), refer("article_id", "articles.ArticleID"), refer("region_id", "regions.id"), words("note")
    )


@pytest.fixture(scope="module", params=["sqlite://", *SERVERS], ids=lambda url: url.partition(":")[0])
def archive(request: pytest.FixtureRequest) -> Iterator[Any]:
    database = opened_apart(request.param)
    for one in ARCHIVE.sorted_tables:
        database.execute(str(CreateTable(one).compile(dialect=database.sqlalchemy_dialect)))
    q = database.backend.quoted
    for statement in (
        "INSERT INTO desks (id, name) VALUES (1, 'Foreign')",
        f"INSERT INTO staff (id, {q('Full Name')}, desk_id, boss) VALUES (1, 'Ines', 1, NULL), (2, 'Tom', 1, 1)",
        f"INSERT INTO articles ({q('ArticleID')}, {q('class')}, author, editor, filed, issue, price, score, printed, "
        "size, views) VALUES (7, 'news', 2, 1, '2001-09-12 04:30:00', '2001-09-12', 1.50, 0.5, "
        f"{'1' if database.dialect == 'sqlite' else 'TRUE'}, 3, 9000000000)",
        "INSERT INTO versions (article, no, text) VALUES (7, 1, 'draft'), (7, 2, 'final')",
        "INSERT INTO settings VALUES ('colour', 'sepia')",
    ):
        database.execute(statement)
    yield database
    database.drop()


@pytest.fixture(scope="module")
def source(archive: Any) -> str:
    return inspect_models(archive)


@pytest.fixture
def models(archive: Any, source: str) -> Iterator[Any]:
    """The module, imported, its models resolved against the database."""
    module: Any = types.ModuleType("archive.models")
    sys.modules["archive.models"] = module
    try:
        exec(compile(source, "archive/models.py", "exec"), module.__dict__)
    finally:
        del sys.modules["archive.models"]
    everything, problems = resolve_models({"archive": models_in(module)})
    assert not problems, problems
    archive.schema, archive.shapes, archive.lookups = Schema(everything, archive.dialect), {}, {}
    with entered(Scope(None, archive)):
        yield module


def test_thirty_tables_become_models_that_are_not_managed(models: Any, archive: Any) -> None:
    """On servers, where rows have no hidden number, that of the table without a key stands in comments."""
    found = models_in(models)
    left_out = {"credits"} if archive.dialect != "sqlite" else set()
    assert len(found) + len(left_out) == len(ARCHIVE.tables) == 30
    assert {model._meta.table for model in found} == set(archive.table_names()) - left_out
    assert not any(model._meta.managed for model in found)


def test_every_table_can_be_read(models: Any, archive: Any) -> None:
    for model in models_in(models):
        assert (
            len(model.objects.all())
            == archive.fetch(f"SELECT count(*) FROM {archive.backend.quoted(model._meta.table)}")[0][0]
        ), model


def test_rows_read_with_their_types_and_references(models: Any) -> None:
    article = models.Articles.objects.get()
    assert (article.pk, article.class_field, article.author.full_name) == (7, "news", "Tom")
    assert (article.issue, article.price, article.score) == (date(2001, 9, 12), Decimal("1.50"), 0.5)
    assert (article.printed, article.size, article.views) == (True, 3, 9_000_000_000)
    assert article.filed.replace(tzinfo=None) == datetime(2001, 9, 12, 4, 30)  # noqa: DTZ001
    assert article.author.boss == article.editor
    assert article.author.desk.name == "Foreign"
    assert models.Settings.objects.get(pk="colour").value == "sepia"


def test_composite_keys_one_to_one_and_ways_back(models: Any) -> None:
    assert models.Versions.objects.get(pk=(7, 2)).text == "final"
    assert models.Articles.objects.filter(versions__text="draft").count() == 1
    assert type(models.Passes._meta.get_field("staff")).__name__ == "OneToOneField"
    assert models.Passes._meta.pk.name == "staff"
    picture = models.Pictures._meta.get_field("agency")
    assert (picture.to_field, picture.target) == ("name", models.Agencies)
    assert {"staff_set", "articles_set", "articles_by_editor"} <= {
        relation.accessor for relation in models.Staff._meta.reverse.values()
    }


def test_names_are_valid_and_unique(models: Any) -> None:
    names = [field.name for field in models.Table2ndEditions._meta.fields]
    assert names == ["id", "save_field", "number_2nd", "a_b", "grosse", "a_b_2", "a_b_3"]


def test_what_has_no_counterpart_is_told_in_a_comment(source: str, archive: Any) -> None:
    assert 'models.ForeignKey("Versions", on_delete=models.DO_NOTHING, from_fields=("article", "no"))' in source
    if archive.dialect == "sqlite":
        assert 'rowid = models.AutoField(primary_key=True, db_column="rowid")' in source
    else:
        assert "# class Credits(models.Model):\n#     # no primary key: name a column that is one" in source
    assert 'models.UniqueConstraint(fields=["page", "place"], name="pictures_place_key")' in source
    assert "on_delete=models.DO_NOTHING" in source


def test_some_tables_alone(archive: Any) -> None:
    found = inspect_models(archive, ["pictures", "captions"])
    assert "class Pictures(" in found
    assert "class Staff(" not in found
    assert "# (article_id) refers to articles (ArticleID)" in found
    with pytest.raises(DatabaseError, match=r"there is no table 'picture'\. Did you mean 'pictures'"):
        inspect_models(archive, ["picture"])


def test_columns_of_kinds_that_are_rare() -> None:
    database = Database("sqlite://")
    database.execute(
        'CREATE TABLE odd (id INTEGER PRIMARY KEY, loose NUMERIC, wide DECIMAL(30, 2), shape GEOMETRY, "nothing", '
        "data JSON, at TIME)"
    )
    database.execute("CREATE VIEW seen AS SELECT id FROM odd")
    found = inspect_models(database, views=True)
    assert "max_digits=15, decimal_places=5, null=True, blank=True)  # the column has no bounds" in found
    assert "# the column has 30 digits" in found
    assert "# a column of no known type: read as text" in found
    assert "data = models.JSONField(" in found
    assert "class Seen(models.Model):\n    # a view\n" in found
    database.close()


def test_sqlite_is_told_of_tables_and_columns_in_any_case() -> None:
    database = Database("sqlite://")
    database.execute("CREATE TABLE Desk (Id INTEGER PRIMARY KEY, code VARCHAR(5) UNIQUE, size INTEGER(1))")
    database.execute("CREATE TABLE loose (a INTEGER)")
    database.execute(
        "CREATE TABLE story (id INTEGER PRIMARY KEY, desk INTEGER REFERENCES DESK(ID), spot VARCHAR(5), "
        "far INTEGER REFERENCES loose, gone INTEGER REFERENCES desk(missing), "
        "wide INTEGER REFERENCES desk(size), FOREIGN KEY (SPOT) REFERENCES desk(CODE))"
    )
    found = inspect_models(database)
    for line in [
        'desk = models.ForeignKey("Desk", on_delete=models.DO_NOTHING, null=True, blank=True, db_column="desk")',
        'spot = models.ForeignKey("Desk", on_delete=models.DO_NOTHING, to_field="code", related_name="story_by_spot"',
        "code = models.CharField(max_length=5, null=True, blank=True, unique=True)",
        "# (far) refers to loose ()",
        "# (gone) refers to Desk (missing)",
        "# (wide) refers to Desk (size)",  # of which several rows may have one
    ]:
        assert line in found
    desk, story = imported(database, found.replace("class Loose", "class Unused"), "Desk", "Story")
    with entered(Scope(None, database)):
        desk.objects.create(code="t")
        assert not desk.objects.filter(story__spot="t", story_by_spot__desk=1).exists()
        assert not story.objects.exists()
    database.close()


def imported(database: Any, source: str, *names: str) -> list[Any]:
    """The models of a source, on a database."""
    module = types.ModuleType("legacy.models")
    exec(source, vars(module))
    found = [module.__dict__[name] for name in names]
    for model in found:
        model.__module__ = "legacy.models"
    (resolved, problems) = resolve_models({"legacy": found})
    assert not problems
    database.schema = Schema(resolved, database.dialect)
    return found


@pytest.mark.parametrize("url", ["sqlite://", *SERVERS], ids=lambda url: url.partition(":")[0])
def test_names_with_a_percent_sign(url: str) -> None:
    database = opened_apart(url)
    double, quote = ("", '"') if url.startswith("sqlite") else ("%", "`" if "mysql" in url else '"')
    try:
        table, column = (f"{quote}{name}{quote}".replace("%", f"%{double}") for name in ("share in %", "100%s"))
        database.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, {column} INTEGER NOT NULL)")
        database.execute(f"INSERT INTO {table} VALUES (1, 40)")
        source = inspect_models(database)
        assert 'db_column="100%s"' in source
        (model,) = imported(database, source, "ShareIn")
        with entered(Scope(None, database)):
            name = next(field.name for field in model._meta.local_fields if not field.primary_key)
            assert model.objects.filter(**{f"{name}__gt": 30}).update(**{name: 50}) == 1
            assert getattr(model.objects.get(), name) == 50
    finally:
        database.drop()


@pytest.mark.parametrize("url", [url for url in SERVERS if url.startswith("mysql")])
def test_bits_are_bytes(url: str) -> None:
    database = opened_apart(url)
    try:
        database.execute("CREATE TABLE flags (id INTEGER PRIMARY KEY, mask BIT(12) NOT NULL)")
        database.execute("INSERT INTO flags VALUES (1, b'101')")
        source = inspect_models(database)
        assert "mask = models.BinaryField(blank=True)  # a BIT column: read and written as bytes" in source
        (model,) = imported(database, source, "Flags")
        with entered(Scope(None, database)):
            assert model.objects.get(pk=1).mask == b"\x00\x05"
            model.objects.create(id=2, mask=b"\x00\x06")
        assert database.fetch("SELECT mask + 0 FROM flags ORDER BY id") == [(5,), (6,)]
    finally:
        database.drop()


@pytest.mark.parametrize("url", ["sqlite://", *SERVERS], ids=lambda url: url.partition(":")[0])
def test_computed_columns_are_read_and_never_written(url: str) -> None:
    database = opened_apart(url)
    try:
        database.execute("CREATE TABLE desk (id INTEGER PRIMARY KEY)")
        database.execute(
            "CREATE TABLE bill (id INTEGER PRIMARY KEY, price INTEGER NOT NULL, pieces INTEGER NOT NULL, "
            "total INTEGER GENERATED ALWAYS AS (price * pieces) STORED, "
            "extra INTEGER GENERATED ALWAYS AS (length(')') + (pieces)) STORED)"
        )
        source = inspect_models(database)
        assert "total = models.GeneratedField(expression=models.RawSQL(" in source
        assert "output_field=models.IntegerField(), db_persist=True)" in source
        bill, _ = imported(database, source, "Bill", "Desk")
        with entered(Scope(None, database)):
            made = bill.objects.create(id=1, price=3, pieces=4)
            assert (made.total, made.extra) == (12, 5)
            made.price = 5
            made.save()
            assert bill.objects.filter(total__gt=15).values_list("total", flat=True).get() == 20
            with pytest.raises(FieldError, match=r"Bill\.total is computed by the database"):
                made.total = 1
    finally:
        database.drop()


@pytest.mark.parametrize("url", ["sqlite://", *SERVERS], ids=lambda url: url.partition(":")[0])
def test_a_view_with_an_id_is_imported_and_read(url: str) -> None:
    """Its rows are told by it: a model with a field of that name cannot be given another key."""
    database = opened_apart(url)
    try:
        database.execute("CREATE TABLE piece (id INTEGER PRIMARY KEY, title VARCHAR(20))")
        database.execute("INSERT INTO piece VALUES (7, 'Flood')")
        database.execute("CREATE VIEW shown AS SELECT title, id FROM piece")
        source = inspect_models(database, ["shown"], views=True)
        assert "# no primary key: 'id' is taken for one; look whether it tells the rows apart" in source
        (shown,) = imported(database, source, "Shown")
        with entered(Scope(None, database)):
            assert [(row.pk, row.title) for row in shown.objects.all()] == [(7, "Flood")]
    finally:
        database.drop()


@pytest.mark.parametrize("url", [url for url in SERVERS if url.startswith("postgresql")])
def test_what_postgresql_has_and_python_has_not_is_told(url: str) -> None:
    class Memo(Model):
        facts = JSONField()
        due = DateField()

        class Meta:
            app_label = "legacy"
            managed = False
            db_table = "memo"

    database = opened_apart(url)
    try:
        database.execute("CREATE TABLE memo (id INTEGER PRIMARY KEY, facts JSON, due DATE)")
        database.execute("""INSERT INTO memo VALUES (1, '{"a": [1]}', '2026-03-01'), (2, 'null', 'infinity')""")
        database.schema = Schema(resolve_models({"legacy": [Memo]})[0], database.dialect)
        with entered(Scope(None, database)):
            assert Memo.objects.get(pk=1).facts == {"a": [1]}
            with pytest.raises(DatabaseError, match=r"legacy\.Memo\.due of row 2 is infinity.*UPDATE .memo. SET .due."):
                list(Memo.objects.all())
            assert Memo.objects.count() == 2
    finally:
        database.drop()


def test_what_sqlite_takes_for_a_number_is_what_its_name_says() -> None:
    database = Database("sqlite://")
    database.execute(
        "CREATE TABLE loose (id INTEGER PRIMARY KEY, made TIMESTAMP WITH TIME ZONE, code UUID, name STRING, any_ ANY,"
        " flag ENUM, ip INET, place POINT, lit BIT, price MONEY, size NUMBER(6, 2), wide BIGINT UNSIGNED)"
    )
    found = inspect_models(database)
    for line in [
        "made = models.DateTimeField(null=True, blank=True)",
        "code = models.UUIDField(null=True, blank=True)",
        "name = models.TextField(null=True, blank=True)",
        'any_field = models.TextField(null=True, blank=True, db_column="any_")',
        "flag = models.TextField(null=True, blank=True)  # a column of no known type: read as text",
        "ip = models.TextField(null=True, blank=True)  # a column of no known type: read as text",
        "place = models.TextField(null=True, blank=True)  # a column of no known type: read as text",
        "lit = models.BooleanField(null=True, blank=True)",
        "price = models.DecimalField(max_digits=15, decimal_places=5, null=True, blank=True)  # the column has no",
        "size = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)",
        "wide = models.IntegerField(null=True, blank=True)",
    ]:
        assert line.split(" = ")[1] in found, found
    database.close()


def test_text_in_another_encoding_is_told_with_its_row() -> None:
    database = Database("sqlite://")
    database.execute('CREATE TABLE "Order" (id TEXT PRIMARY KEY, "Group" TEXT)')
    database.execute("INSERT INTO \"Order\" VALUES ('a', 'x'), ('it''s', CAST(x'E9' AS TEXT))")
    (order,) = imported(database, inspect_models(database), "Order")
    row = r"""Order\.group of row "it's" is b'\\xe9', which is no TextField: it is not UTF-8.*"""
    row += """UPDATE "Order" SET "Group" = ... WHERE "id" = 'it''s'"""
    with entered(Scope(None, database)) as scope:
        for ask in (lambda: list(order.objects.all()), lambda: list(order.objects.iterator(chunk_size=1))):
            with pytest.raises(DatabaseError, match=row):
                ask()
        told = r"'Group' is b'\\xe9', and it is not UTF-8"
        with pytest.raises(DatabaseError, match=told):
            capture(scope, ["Order"], {})  # as a build does
        with pytest.raises(DatabaseError, match=told), database.cursor() as cursor:
            cursor.execute('SELECT "Group" FROM "Order"').fetchall()
        assert order.objects.get(pk="a").group == "x"
    database.close()


def test_decimals_of_sqlite_keep_the_digits_behind_those_that_their_field_has() -> None:
    database = Database("sqlite://")
    database.execute("CREATE TABLE price (id INTEGER PRIMARY KEY, a DECIMAL(10, 2), b NUMERIC)")
    database.execute("INSERT INTO price VALUES (1, 0.1 + 0.2, 0.1234567), (2, 12, 1234567890123456789), (3, '1,5', 0)")
    (price,) = imported(database, inspect_models(database), "Price")
    with entered(Scope(None, database)):
        found = [(str(row.a), str(row.b)) for row in price.objects.filter(pk__lt=3)]
        assert found == [("0.30", "0.1234567"), ("12.00", "1234567890123456789.00000")]
        with pytest.raises(ValidationError, match="more than"):
            price.objects.get(pk=1).save()
        with pytest.raises(DatabaseError, match=r"Price\.a of row 3 is '1,5', which is no DecimalField: .*no decimal"):
            price.objects.get(pk=3)
    database.close()


@pytest.mark.parametrize("url", [url for url in SERVERS if url.startswith("postgresql")])
def test_a_build_tells_of_a_day_that_python_has_not(url: str) -> None:
    database = opened_apart(url)
    try:
        database.execute("CREATE TABLE old (id INT PRIMARY KEY, due DATE)")
        database.execute("INSERT INTO old VALUES (1, 'infinity')")
        imported(database, inspect_models(database), "Old")
        told = "'due' is infinity, and Python's years are 1 to 9999"
        with entered(Scope(None, database)) as scope, pytest.raises(DatabaseError, match=told):
            capture(scope, ["old"], {})
    finally:
        database.drop()


def test_tables_in_which_another_keeps_its_data_are_left_out() -> None:
    database = Database("sqlite://")
    database.execute("CREATE VIRTUAL TABLE words USING fts5(body)")
    assert "words" in inspect_models(database)
    assert "words_data" not in inspect_models(database)
    database.close()


@pytest.mark.parametrize("url", [url for url in SERVERS if url.startswith("mysql")])
def test_mariadb_json_is_json_and_an_index_of_beginnings_is_not_unique(url: str) -> None:
    database = opened_apart(url)
    try:
        database.execute("CREATE TABLE note (id INT PRIMARY KEY, facts JSON, body VARCHAR(900), UNIQUE KEY (body(10)))")
        source = inspect_models(database)
        assert "facts = models.JSONField(null=True, blank=True)" in source
        assert "body = models.CharField(max_length=900, null=True, blank=True)" in source
        assert "unique" not in source
    finally:
        database.drop()


@pytest.mark.parametrize("url", [url for url in SERVERS if url.startswith("mysql")])
def test_a_day_that_is_none_is_told_with_its_row(url: str) -> None:
    """MariaDB keeps ``0000-00-00``, and as a time of day ``25:00``; PyMySQL gives text, and a length of time."""
    database = opened_apart(url)
    try:
        database.execute("CREATE TABLE old (id INT PRIMARY KEY, day DATE, made DATETIME, at TIME)")
        database.execute("CREATE TABLE older (id BINARY(2) PRIMARY KEY, day DATE)")
        old, older = imported(database, inspect_models(database), "Old", "Older")
        with database.atomic():
            database.execute("SET sql_mode = ''")
            database.execute("INSERT INTO old VALUES (1, '0000-00-00', '2026-00-01', '25:00:00')")
            database.execute("INSERT INTO older VALUES (x'0a27', '0000-00-00')")
        with entered(Scope(None, database)):
            for name, told in [("day", "no such day"), ("made", "no such day"), ("at", "before 24:00")]:
                with pytest.raises(DatabaseError, match=rf"Old\.{name} of row 1 is .*, which is no .*Field: .*{told}"):
                    old.objects.only(name).get()
                with pytest.raises(DatabaseError, match=rf"'{name}' is .*, which is no value of that kind: .*{told}"):
                    list(old.objects.values("pk", name))
            with pytest.raises(DatabaseError, match=r"UPDATE `older` SET `day` = \.\.\. WHERE `id` = x'0a27'\."):
                older.objects.get()
    finally:
        database.drop()


@pytest.mark.parametrize("url", [url for url in SERVERS if url.startswith("postgresql")])
@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("day", "infinity", "infinity"),
        ("day", "-infinity", "-infinity"),
        ("day", "10000-01-01", "10000-01-01"),
        ("day", "0044-03-15 BC", "0044-03-15 BC"),
        ("made", "infinity", "infinity"),
        ("made", "-infinity", "-infinity"),
        ("made", "12026-02-03 04:05:06+00", "12026-02-03 04:05:06"),
        ("made", "0001-12-31 23:59:59+00 BC", "0001-12-31 23:59:59.* BC"),
        ("noted", "10000-01-01 00:00", "10000-01-01 00:00:00"),
        ("at", "24:00", "24:00:00"),
    ],
)
def test_a_moment_that_python_has_not_is_told_with_its_row(url: str, name: str, value: str, shown: str) -> None:
    """In text and, from the second time on, in binary form; rows at once, in chunks, as values, and by hand."""
    database = opened_apart(url)
    try:
        database.execute("CREATE TABLE old (id INT PRIMARY KEY, day DATE, made TIMESTAMPTZ, noted TIMESTAMP, at TIME)")
        (old,) = imported(database, inspect_models(database), "Old")
        database.execute("INSERT INTO old (id) VALUES (1)")
        database.execute(f"INSERT INTO old (id, {name}) VALUES (2, %s)", [value])
        with entered(Scope(None, database)):
            row = rf"Old\.{name} of row 2 is {shown}.*, which is no .*: .*UPDATE .old. SET .{name}. = .* WHERE .id. = 2"
            for ask in (
                lambda: list(old.objects.only(name)),
                lambda: old.objects.get(pk=2),
                lambda: list(old.objects.iterator(chunk_size=1)),
            ):
                for _ in range(3):
                    with pytest.raises(DatabaseError, match=row):
                        ask()
            for ask in (
                lambda: list(old.objects.values("pk", name)),
                lambda: list(old.objects.values_list(name, flat=True).iterator()),
                lambda: old.objects.aggregate(Max(name)),
            ):
                for _ in range(3):
                    with pytest.raises(DatabaseError, match=rf"Old: '{name}\w*' is {shown}.* tell which one it is"):
                        ask()
            with database.log(), pytest.raises(DatabaseError, match=row):
                old.objects.get(pk=2)
            with pytest.raises(DatabaseError, match=rf"'{name}' is {shown}.*Mend the row"):
                database.fetch(f"SELECT {name} FROM old")
            assert old.objects.filter(pk=1).get().pk == 1
            with database.atomic():
                with pytest.raises(DatabaseError, match=row):
                    old.objects.get(pk=2)
                assert old.objects.count() == 2
    finally:
        database.drop()


@pytest.mark.parametrize("url", [url for url in SERVERS if url.startswith("postgresql")])
def test_postgresql_domains_intervals_partitions_and_kept_views(url: str) -> None:
    database = opened_apart(url)
    try:
        database.execute("CREATE DOMAIN pieces AS INTEGER CHECK (value > 0)")
        database.execute("CREATE TABLE sale (id INT, day DATE, n pieces, took INTERVAL) PARTITION BY RANGE (day)")
        database.execute("CREATE TABLE sale_2026 PARTITION OF sale FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')")
        database.execute("CREATE MATERIALIZED VIEW sums AS SELECT id, n FROM sale")
        source = inspect_models(database, views=True)
        assert "n = models.IntegerField(null=True, blank=True)" in source
        assert "took = models.DurationField(null=True, blank=True)" in source
        assert "class Sums(models.Model):\n    # a view\n" in source
        assert "sale_2026" not in source
    finally:
        database.drop()


@pytest.mark.parametrize("any_database_with", ["sqlite://", *SERVERS], indirect=True)
def test_references_to_keys_of_several_columns_are_followed(any_database_with: Any) -> None:
    """One shares a column with another reference; its own columns are in another order than the key."""
    legacy = any_database_with(
        "CREATE TABLE purchase (id INT PRIMARY KEY)",
        "CREATE TABLE line (purchase_id INT, number INT, title VARCHAR(9), PRIMARY KEY (purchase_id, number),"
        " FOREIGN KEY (purchase_id) REFERENCES purchase (id))",
        "CREATE TABLE parcel (id INT PRIMARY KEY, number INT, purchase_id INT, line INT,"
        " FOREIGN KEY (purchase_id) REFERENCES purchase (id),"
        " FOREIGN KEY (purchase_id, number) REFERENCES line (purchase_id, number))",
        "INSERT INTO purchase VALUES (1)",
        "INSERT INTO line VALUES (1, 5, 'Rope')",
        "INSERT INTO parcel VALUES (1, 5, 1, 8), (2, NULL, 1, 9)",
    )
    source = inspect_models(legacy)
    told = 'line_2 = models.ForeignKey("Line", on_delete=models.DO_NOTHING, from_fields=("purchase", "number"))'
    assert told in source
    line, parcel, _ = imported(legacy, source, "Line", "Parcel", "Purchase")
    with entered(Scope(None, legacy)):
        assert [each.line_2 and each.line_2.title for each in parcel.objects.order_by("id")] == ["Rope", None]
        assert [each.pk for each in line.objects.get().parcel_set.all()] == [1]
        assert parcel.objects.get(line_2__title="Rope").line == 8


def test_names_and_keys_that_are_traps(any_database_with: Any) -> None:
    """A column called like the module, keys that may be NULL, or are only unique, a view without ``id``, and tables
    whose models would differ by case alone."""
    database = any_database_with(
        "CREATE TABLE base (id INTEGER PRIMARY KEY, models INTEGER, note VARCHAR(20))",
        "CREATE TABLE link (base_id INTEGER REFERENCES base (id), other_id INTEGER, PRIMARY KEY (base_id, other_id))",
        "CREATE TABLE loose (a INTEGER NOT NULL, b INTEGER NOT NULL, text VARCHAR(20), UNIQUE (a, b))",
        "CREATE TABLE wi_re (id INTEGER PRIMARY KEY)",
        "CREATE TABLE wire (id INTEGER PRIMARY KEY)",
        "CREATE VIEW shown AS SELECT note, id + 1 AS following FROM base",
        "INSERT INTO base VALUES (1, 2, 'first')",
        "INSERT INTO link VALUES (1, 7)",
        "INSERT INTO loose VALUES (1, 2, 'x')",
    )
    source = inspect_models(database, views=True)
    base, link, loose, shown = imported(database, source, "Base", "Link", "Loose", "Shown")
    assert "class WiRe(models.Model)" in source
    assert "class Wire_2(models.Model)" in source
    with entered(Scope(None, database)):
        assert (base.objects.get().models_field, base.objects.get().note) == (2, "first")
        assert link.objects.get(pk=(1, 7)).base_id == 1
        assert loose.objects.get(pk=(1, 2)).text == "x"
        assert [row.pk for row in shown.objects.all()] == ["first"]


@pytest.fixture(params=["sqlite://", *SERVERS], ids=lambda url: url.partition(":")[0])
def any_database_with(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Makes a database of each kind by statements."""
    database = opened_apart(request.param)

    def make(*statements: str) -> Any:
        for statement in statements:
            database.execute(statement)
        return database

    yield make
    database.drop()


def only(kind: str) -> Any:
    """For tests of one kind of server."""
    return pytest.mark.parametrize(
        "any_database_with", [url for url in SERVERS if url.startswith(kind)], indirect=True, ids=lambda _: kind
    )


@only("postgresql")
def test_columns_of_kinds_that_postgresql_has_alone_are_compared_and_written(any_database_with: Any) -> None:
    """It compares an enum, an address or a name with no text, unless the text is of no kind yet."""
    database = any_database_with(
        "CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s \"fine\"')",
        "CREATE DOMAIN word AS varchar(20)",
        'CREATE TABLE odd (id int PRIMARY KEY, m mood, ip inet, n name, x text COLLATE "C", w word, r int4range, '
        "a int[], t text[], z timetz)",
        "INSERT INTO odd VALUES (1, 'ok', '10.0.0.1', 'n', 'x', 'w', '[1,4]', '{{1,NULL}}', '{\"a,b\",c\\\\d}', "
        "'24:00+02')",
        "INSERT INTO odd VALUES (2, 'it''s \"fine\"', '::1', 'o', 'y', 'v')",
    )
    (odd,) = imported(database, inspect_models(database), "Odd")
    trace = Trace()
    with entered(Scope(None, database, trace=trace)):
        assert [(row.ip, row.r) for row in odd.objects.all()] == [("10.0.0.1", "[1,5)"), ("::1", None)]
    assert trace.inputs
    with entered(Scope(None, database)):
        for question in (
            {"m": "ok"},
            {"m__in": ["ok"]},
            {"m__in": ["ok", *(["sad"] * 2_000)]},
            {"m__lte": "ok"},
            {"m__range": ("sad", "ok")},
            {"ip": "10.0.0.1"},
            {"n": "n"},
            {"x": "x", "w__startswith": "w"},
            {"a": "{{1,NULL}}"},
            {"z": "24:00:00+02"},
        ):
            assert [row.pk for row in odd.objects.filter(**question)] == [1], question
        assert odd.objects.exclude(m="ok").get().m == 'it\'s "fine"'
        assert odd.objects.filter(m="ok").update(m="sad", ip="10.0.0.2", w="new") == 1
        assert odd.objects.filter(ip="10.0.0.2", w="new").values_list("m", flat=True).get() == "sad"
        arrays = odd.objects.get(pk=1)
        assert (arrays.a, arrays.t) == ("{{1,NULL}}", '{"a,b","c\\\\d"}')
        odd(id=3, m="ok", a=arrays.a, t=arrays.t, z=arrays.z).save()
        assert odd.objects.filter(m="ok").get().pk == 3
        assert database.fetch("SELECT a, t, z FROM odd WHERE id = 3") == [([[1, None]], ["a,b", "c\\d"], "24:00:00+02")]


@pytest.mark.parametrize("any_database_with", SERVERS, indirect=True, ids=lambda url: url.partition(":")[0])
def test_no_digit_is_lost_of_numbers_that_are_longer_than_their_field(any_database_with: Any) -> None:
    wide = any_database_with(
        "CREATE TABLE wide (id INT PRIMARY KEY, a NUMERIC(40, 10), b NUMERIC(30, 20))",
        "INSERT INTO wide VALUES (1, 123456789012345678901234567890.5, 1.12345678901234567891)",
    )
    if wide.dialect == "postgresql":
        wide.execute("ALTER TABLE wide ALTER COLUMN b TYPE NUMERIC")
    (model,) = imported(wide, inspect_models(wide), "Wide")
    with entered(Scope(None, wide)):
        row = model.objects.get(b=Decimal("1.12345678901234567891"))
        assert (row.a, row.b) == (Decimal("123456789012345678901234567890.5"), Decimal("1.12345678901234567891"))
        model(id=2, a=row.a, b=row.b).save()
        assert model.objects.filter(a=row.a, b=row.b).count() == 2


@only("postgresql")
def test_what_is_in_other_schemas_and_what_the_database_says_of_tables(any_database_with: Any) -> None:
    other = "toolkit_other_schema"
    database = any_database_with(
        f"DROP SCHEMA IF EXISTS {other} CASCADE",
        f"CREATE SCHEMA {other}",
        f"CREATE TABLE {other}.staff (id int PRIMARY KEY)",
        "CREATE TABLE staff (id int PRIMARY KEY)",
        f"CREATE TABLE piece (id int PRIMARY KEY, own int REFERENCES staff, far int REFERENCES {other}.staff)",
        "COMMENT ON TABLE piece IS 'what we \"print\"'",
        "COMMENT ON COLUMN piece.far IS E'one\\ntwo'",
    )
    try:
        source = inspect_models(database)
    finally:
        database.execute(f"DROP SCHEMA {other} CASCADE")
    assert 'far = models.IntegerField(null=True, blank=True, db_comment="one\\ntwo")' in source
    assert f"# (far) refers to {other}.staff (id)" in source
    assert 'db_table_comment = "what we \\"print\\""' in source
    imported(database, source, "Piece", "Staff")


@only("mysql")
def test_addresses_and_uuids_of_mariadb(any_database_with: Any) -> None:
    database = any_database_with(
        "CREATE TABLE place (ip INET6 PRIMARY KEY, code UUID, v4 INET4)",
        "INSERT INTO place VALUES ('::1', '6c84fb90-12c4-11e1-840d-7b25c5ee775a', '10.0.0.1')",
    )
    (place,) = imported(database, inspect_models(database), "Place")
    assert database.schema.problems() == []
    code = UUID("6c84fb90-12c4-11e1-840d-7b25c5ee775a")
    with entered(Scope(None, database)):
        row = place.objects.get(pk="::1", code=code, v4="10.0.0.1")
        assert (row.code, row.v4) == (code, "10.0.0.1")
        row.save()


@only("mysql")
def test_numbers_without_a_sign_flags_and_shapes_of_mariadb(any_database_with: Any) -> None:
    """``SMALLINT UNSIGNED`` reaches to 65,535, ``TINYINT(1)`` holds any small number, and ``BIT(1)`` is yes or no."""
    database = any_database_with(
        "CREATE TABLE film (id SMALLINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, length SMALLINT UNSIGNED, "
        "votes INT UNSIGNED, views BIGINT UNSIGNED, stars TINYINT UNSIGNED, level TINYINT(1), seen TINYINT(1), "
        "live BIT(1) NOT NULL, place POINT NOT NULL, note VARCHAR(9) NOT NULL)",
        "CREATE TABLE tongue (id TINYINT UNSIGNED AUTO_INCREMENT PRIMARY KEY)",
        "INSERT INTO film VALUES (65535, 65535, 4294967295, 1, 255, 2, 1, b'0', ST_GeomFromText('POINT(1 2)'), '')",
    )
    source = inspect_models(database)
    for line in (
        "id = models.AutoField(primary_key=True)",
        "id = models.SmallAutoField(primary_key=True)",
        "length = models.PositiveIntegerField(",
        "views = models.PositiveBigIntegerField(",
        "stars = models.PositiveSmallIntegerField(",
        "level = models.SmallIntegerField(",
        "seen = models.BooleanField(",
        "place = models.BinaryField(blank=True)  # a shape, in bytes",
    ):
        assert line in source
    film, tongue = imported(database, source, "Film", "Tongue")
    before = database.fetch("SELECT * FROM film")
    with entered(Scope(None, database)):
        row = film.objects.get(length=65_535, votes=4_294_967_295, stars=255, level=2, seen=True, live=False)
        row.full_clean()
        row.save()
        assert film.objects.filter(place=row.place, live=row.live).exists()
        assert tongue.objects.create().pk == 1
    assert database.fetch("SELECT * FROM film") == before


@only("postgresql")
def test_databases_with_hstore_networks_and_keys_that_are_always_counted(any_database_with: Any) -> None:
    database = any_database_with(
        "CREATE EXTENSION hstore SCHEMA public",
        "CREATE TABLE block (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ip inet NOT NULL, host inet, "
        "more public.hstore)",
        "INSERT INTO block (ip, host, more) VALUES ('10.0.0.0/8', '::1', 'a=>1')",
    )
    source = inspect_models(database)
    assert "ip = models.TextField(blank=True)  # an address, but whole networks are in it" in source
    assert "host = models.GenericIPAddressField(" in source
    (block,) = imported(database, source, "Block")
    with entered(Scope(None, database)):
        row = block.objects.get(ip="10.0.0.0/8", host="::1")
        assert row.more == '"a"=>"1"'
        row.save()
        block(id=7, ip="::/0", more=row.more).save()
        block.objects.bulk_create([block(id=8, ip="::/0"), block(ip="::/0")])
        assert sorted(block.objects.values_list("pk", flat=True)) == [1, 2, 7, 8]
    database.execute("DROP EXTENSION hstore CASCADE")


@only("mysql")
def test_a_dump_does_not_go_round_in_circles(any_database_with: Any) -> None:
    """MariaDB compares a ``BIT`` with no bytes, and so finds nothing behind a row, or everything."""
    database = any_database_with("CREATE TABLE mask (id BIT(8) PRIMARY KEY)", "INSERT INTO mask VALUES (b'101')")
    imported(database, inspect_models(database), "Mask")
    with (
        entered(Scope(None, database)) as scope,
        pytest.raises(DatabaseError, match=r"does not find what is behind a row with the key \[b'\\x05'\]"),
    ):
        dump(scope, format_of("json"), io.StringIO())


def test_what_is_in_columns_of_sqlite_tells_their_types_where_the_table_does_not() -> None:
    """Rails wrote ``'t'`` and ``'f'``; what is declared without a type, or computed by a view, may be anything."""
    database = Database("sqlite://")
    database.execute("CREATE TABLE post (id INTEGER PRIMARY KEY, live BOOLEAN, draft BOOLEAN, a, b, c, _meta TEXT)")
    database.execute("INSERT INTO post VALUES (1, 't', 1, 5, 2.5, x'00', 'm'), (2, 'f', 0, 6, 1, NULL, 'n')")
    database.execute("CREATE VIEW halves AS SELECT id, a / 2.0 AS half FROM post")
    source = inspect_models(database, views=True)
    assert "live = models.TextField(null=True, blank=True)  # declared as yes or no, but others" in source
    post, halves = imported(database, source, "Post", "Halves")
    with entered(Scope(None, database)):
        row = post.objects.get(live="t", draft=True, a=5, b=2.5, c=b"\x00", meta_field="m")
        assert halves.objects.get(half=2.5).pk == 1
        row.save()
    assert database.fetch("SELECT typeof(a), typeof(b), typeof(c), live FROM post WHERE id = 1") == [
        ("integer", "real", "blob", "t")
    ]
    database.close()


def test_text_in_a_column_of_yes_and_no_is_neither() -> None:
    """It was read as yes, ``'f'`` too."""
    database = Database("sqlite://")
    database.execute("CREATE TABLE post (id INTEGER PRIMARY KEY, live BOOLEAN)")
    (post,) = imported(database, inspect_models(database), "Post")
    database.execute("INSERT INTO post VALUES (1, 'f')")
    with (
        entered(Scope(None, database)),
        pytest.raises(DatabaseError, match=r"Post\.live of row 1 is 'f', which is no BooleanField.*UPDATE"),
    ):
        list(post.objects.all())
    database.close()


@pytest.mark.parametrize(
    "written", ["2026-03-01 10:00:00", "2026-03-01T10:00:00.000Z", "2026-03-01 12:00:00+02:00", "2026-03-01 10:00"]
)
def test_instants_that_others_wrote_into_sqlite_are_compared_as_instants(written: str) -> None:
    """Django and Rails leave the offset out, and JavaScript writes a T and a Z: as texts they would be others."""
    database = Database("sqlite://")
    database.execute("CREATE TABLE post (id INTEGER PRIMARY KEY, made DATETIME)")
    database.execute("INSERT INTO post VALUES (1, ?), (2, '2026-03-01 10:00:00.5'), (3, NULL)", [written])
    (post,) = imported(database, inspect_models(database), "Post")
    moment = datetime(2026, 3, 1, 10, tzinfo=UTC)
    with entered(Scope(None, database)):
        rows = post.objects
        assert rows.get(made=moment).made == moment
        assert [row.pk for row in rows.filter(made__lte=moment)] == [1]
        assert [row.pk for row in rows.filter(made__gt=moment)] == [2]
        assert [row.pk for row in rows.filter(made__isnull=False).order_by("made")] == [1, 2]
        assert rows.aggregate(first=Min("made"))["first"] == moment
        assert rows.filter(made__in=[moment], made__hour=10).update(made=moment) == 1
    database.close()


@only("mysql")
def test_names_with_marks_in_them_and_small_keys_of_mariadb(any_database_with: Any) -> None:
    database = any_database_with(
        "CREATE TABLE `it``s` (id TINYINT(1) PRIMARY KEY, `a``b` INT COMMENT 'c', UNIQUE KEY u (`a``b`)) COMMENT 't'",
        "INSERT INTO `it``s` VALUES (5, 6)",
    )
    source = inspect_models(database)
    assert "id = models.SmallIntegerField(primary_key=True)" in source
    (its,) = imported(database, source, "ItS")
    with entered(Scope(None, database)):
        assert its.objects.get(a_b=6).pk == 5
    assert (its._meta.get_field("a_b").db_comment, its._meta.db_table_comment) == ("c", "t")


def test_what_sqlite_computes_without_saying_so_and_a_column_called_rowid() -> None:
    database = Database("sqlite://")
    database.execute("CREATE TABLE bill (id INTEGER PRIMARY KEY, price INTEGER, twice AS (price * 2))")
    database.execute("CREATE TABLE lines (rowid TEXT, size NUMERIC(3, 4))")
    database.execute("INSERT INTO lines VALUES ('a', 2.5)")
    bill, lines = imported(database, inspect_models(database), "Bill", "Lines")
    with entered(Scope(None, database)):
        bill.objects.create(id=1, price=3)
        row = bill.objects.get()
        row.price = 4
        row.save()
        assert bill.objects.values_list("twice", flat=True).get() == 8
        assert [(line.pk, line.rowid) for line in lines.objects.all()] == [(1, "a")]
    database.close()
