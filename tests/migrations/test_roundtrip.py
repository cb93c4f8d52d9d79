"""Whatever is done to the models, going forward gives their tables, and going back gives the old ones."""

from __future__ import annotations

import os
import tempfile
import uuid
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from toolkit import migrations, models
from toolkit.database import Database
from toolkit.errors import MigrationError, ToolkitError
from toolkit.migrations.describing import with_hidden
from toolkit.migrations.tables.comparing import read_table
from toolkit.models import Q

EXAMPLES = int(os.environ.get("TOOLKIT_TEST_EXAMPLES", "8"))

PHASES = [Phase.explicit, Phase.reuse, Phase.generate]
"""Shrinking takes minutes here: an example migrates tables many times."""

KINDS = {
    "char": lambda **o: models.CharField(max_length=20, **o),
    "long": lambda **o: models.CharField(max_length=200, **o),
    "slug": lambda **o: models.SlugField(**o),
    "small": lambda **o: models.SmallIntegerField(**o),
    "positive": lambda **o: models.PositiveIntegerField(**o),
    "integer": lambda **o: models.IntegerField(**o),
    "big": lambda **o: models.BigIntegerField(**o),
    "float": lambda **o: models.FloatField(**o),
    "decimal": lambda **o: models.DecimalField(max_digits=6, decimal_places=2, **o),
    "day": lambda **o: models.DateField(**o),
    "hour": lambda **o: models.TimeField(**o),
    "moment": lambda **o: models.DateTimeField(**o),
    "duration": lambda **o: models.DurationField(**o),
    "flag": lambda **o: models.BooleanField(**o),
    "uuid": lambda **o: models.UUIDField(**o),
    "address": lambda **o: models.GenericIPAddressField(**o),
}
UNINDEXED = {
    "text": lambda **o: models.TextField(**o),
    "json": lambda **o: models.JSONField(**o),
    "binary": lambda **o: models.BinaryField(**o),
}
"""Kinds that not every database can index."""

NATURAL = ("char", "slug", "integer", "uuid")
"""Kinds that the key may be of, in place of a number."""

MODELS, FIELDS = ("Ant", "Bee", "Cat"), ("one", "two", "three")

indexed_field = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(sorted(KINDS)),
        "null": st.booleans(),
        "unique": st.booleans(),
        "db_index": st.booleans(),
        "translated": st.booleans(),
    },
    optional={"db_comment": st.sampled_from(["said", "it's 100% so"])},
)
plain_field = st.fixed_dictionaries({"kind": st.sampled_from(sorted(UNINDEXED)), "null": st.booleans()})
link = st.fixed_dictionaries(
    {"to": st.sampled_from(MODELS), "how": st.sampled_from(["key", "one", "many"]), "null": st.booleans()}
)
meta = st.sets(
    st.sampled_from(
        ["check", "unique", "conditional", "index", "backwards", "table", "order", "proxy", "uuid", "small", "natural"]
    )
)
"""What ``Meta`` says; a proxy beside the model; and a key of another kind."""
one_model = st.tuples(
    st.dictionaries(st.sampled_from(FIELDS), st.one_of(indexed_field, indexed_field, plain_field), max_size=3),
    st.dictionaries(st.sampled_from(("link", "other")), link, max_size=2),
    meta,
)
site = st.dictionaries(st.sampled_from(MODELS), one_model, min_size=1, max_size=3)
parents = st.fixed_dictionaries({"Bee": st.sampled_from([None, "Ant"]), "Cat": st.sampled_from([None, "Ant", "Bee"])})
begins = st.fixed_dictionaries({"Bee": st.integers(0, 2), "Cat": st.integers(0, 2)})
"""The step at which a model begins to inherit."""
ends = st.fixed_dictionaries({"Bee": st.integers(1, 3), "Cat": st.integers(1, 3)})
"""The step from which a model inherits no more."""


def build(model: Any, description: dict[str, Any], inherits: dict[str, Any]) -> list[Any]:
    made: dict[str, Any] = {}
    for name, parts in sorted(description.items()):
        parent = inherits.get(name)
        if parent is None or parent in made:
            made[name] = _build(
                model, name, set(description) & _reachable(description, inherits), made.get(parent), parts
            )
    proxies = [
        model(f"{name}Proxy", {"proxy": True, "ordering": ["-pk"]}, inherits=made[name])
        for name, (_, _, wanted) in sorted(description.items())
        if name in made and "proxy" in wanted
    ]
    return [*made.values(), *proxies]


def _reachable(description: dict[str, Any], inherits: dict[str, Any]) -> set[str]:
    """The models that are made: those whose parents are."""
    found: set[str] = set()
    for name in sorted(description):
        if inherits.get(name) is None or inherits[name] in found:
            found.add(name)
    return found


def _build(model: Any, name: str, site: set[str], parent: Any, parts: Any) -> Any:
    fields, links, wanted = parts
    prefix = name[0].lower()
    made = {_called(prefix, key, options): _field(dict(options)) for key, options in sorted(fields.items())}
    if parent is None:
        made |= _key(wanted) or _natural_key(prefix, fields, wanted)
    for key, options in sorted(links.items()):
        if options["to"] in site:
            upwards = parent is not None and options["to"] in {kind.__name__ for kind in parent.__mro__}
            how = "key" if upwards and options["how"] == "one" else options["how"]  # that would be the parent's link
            made[f"{prefix}_{key}"] = _link(options | {"how": how})
    indexed = [f"{prefix}_{key}" for key, options in sorted(fields.items()) if options["kind"] in KINDS]
    return model(name, _meta(name, indexed, wanted), inherits=parent, **made)


def _key(wanted: set[str]) -> dict[str, Any]:
    """A key of another kind than models have by themselves."""
    if "uuid" in wanted:
        return {"id": models.UUIDField(primary_key=True, default=uuid.uuid4)}
    return {"id": models.SmallAutoField(primary_key=True)} if "small" in wanted else {}


def _natural_key(prefix: str, fields: dict[str, Any], wanted: set[str]) -> dict[str, Any]:
    """A field that is the key, where others are not: it may have been there before."""
    for key, options in sorted(fields.items()) if "natural" in wanted else ():
        if options["kind"] in NATURAL:
            return {_called(prefix, key, options): KINDS[options["kind"]](primary_key=True)}
    return {}


def _called(prefix: str, key: str, options: dict[str, Any]) -> str:
    """The field's name; bytes become nothing else, and nothing else becomes bytes, so these have names of their own."""
    return f"{prefix}_{key}{'_bytes' * (options['kind'] == 'binary')}"


def _field(options: dict[str, Any]) -> Any:
    kind = options.pop("kind")
    return (KINDS | UNINDEXED)[kind](**options)


def _link(options: dict[str, Any]) -> Any:
    if options["how"] == "many":
        return models.ManyToManyField(options["to"], related_name="+")
    kind = models.OneToOneField if options["how"] == "one" else models.ForeignKey
    return kind(options["to"], on_delete=models.CASCADE, null=options["null"], related_name="+")


def _meta(name: str, fields: list[str], wanted: set[str]) -> dict[str, Any]:
    meta: dict[str, Any] = {"db_table": f"Table {name}"} if "table" in wanted else {}
    if "order" in wanted:
        meta["ordering"] = [f"-{one}" for one in fields] or ["-pk"]
    if not fields:
        return meta
    first, condition = fields[0], Q(**{f"{fields[0]}__isnull": False})
    constraints = {
        "check": models.CheckConstraint(condition=condition, name=f"{name}_check"),
        "unique": models.UniqueConstraint(fields=fields, name=f"{name}_all"),
        "conditional": models.UniqueConstraint(fields=[first], name=f"{name}_some", condition=condition),
    }
    indexes = {
        "index": models.Index(fields=[f"-{first}"], name=f"{name}_index", condition=condition),
        "backwards": models.Index(fields=[f"-{one}" for one in fields], name=f"{name}_backwards"),
    }
    return meta | {
        "constraints": [constraints[key] for key in sorted(wanted & constraints.keys())],
        "indexes": [indexes[key] for key in sorted(wanted & indexes.keys())],
    }


def tables(newsroom: Any) -> dict[str, Any]:
    names = [model._meta.table for model in with_hidden(newsroom.app.models)]
    return {name: read_table(newsroom.database, name) for name in names}


def rows(newsroom: Any) -> dict[str, int]:
    """How many rows each table has."""
    database = newsroom.database
    quote = database.sqlalchemy_dialect.identifier_preparer.quote_identifier
    ours = [name for name in database.table_names() if not name.startswith(("toolkit_", "sqlite_"))]
    return {name: database.fetch(f"SELECT count(*) FROM {quote(name)}")[0][0] for name in ours}


def walk(
    newsroom: Any,
    model: Any,
    history: list[Any],
    inherits: dict[str, Any],
    since: dict[str, int],
    until: dict[str, int],
    answers: Any,
) -> None:
    """Forward through all descriptions, with rows on the way, and back again."""
    seen: list[tuple[str, Any]] = []
    for step, description in enumerate(history):
        left = {name: parent if since[name] <= step < until[name] else None for name, parent in inherits.items()}
        newsroom.declare(*build(model, description, left))
        made = newsroom.make(ask=lambda question: answers.draw(st.booleans()), fills=_values(newsroom))
        go(newsroom, "news", backwards=False)
        assert newsroom.problems() == []
        if made:
            seen.append((f"news.{made[0].name}", tables(newsroom)))
        add_rows(newsroom)
    for target, before in reversed(seen):
        go(newsroom, target)
        for name, table in before.items():
            assert read_table(newsroom.database, name) == table
    go(newsroom, "news.zero")
    if len(seen) > 1:
        migrations.squash([newsroom.app], "news", None, seen[-1][0].partition(".")[2])
        newsroom.apply()
        assert newsroom.problems() == []
        assert tables(newsroom) == seen[-1][1]
        newsroom.apply("news.zero")


def go(newsroom: Any, target: str, *, backwards: bool = True) -> None:
    """Go to a point; where rows stand in the way nothing is changed, and without the rows it can be done."""
    if not migrations.show(newsroom.database, [newsroom.app]):
        return
    kept = rows(newsroom)
    try:
        newsroom.apply(target)
    except MigrationError:
        if newsroom.database.dialect != "mysql":  # which may have done a part
            assert rows(newsroom) == kept
        empty(newsroom)
        newsroom.apply(target)
        return
    now = rows(newsroom)
    parents = {"news_ant", "news_bee", "Table Ant", "Table Bee"}  # they get rows for those that begin to inherit
    lost = {name for name, count in now.items() if count != kept.get(name, count) and name not in parents}
    assert lost == set()
    assert backwards or all(now.get(name, count) >= count for name, count in kept.items())


def empty(newsroom: Any) -> None:
    database = newsroom.database
    quote = database.sqlalchemy_dialect.identifier_preparer.quote_identifier
    if database.dialect == "sqlite":
        database.execute("PRAGMA foreign_keys = OFF")
    if database.dialect == "mysql":
        database.execute("SET foreign_key_checks = 0")
    with database.atomic():
        for name in rows(newsroom):
            database.execute(f"DELETE FROM {quote(name)}")
    if database.dialect == "sqlite":
        database.execute("PRAGMA foreign_keys = ON")
    if database.dialect == "mysql":
        database.execute("SET foreign_key_checks = 1")


def add_rows(newsroom: Any) -> None:
    """A row or two of each model, where its constraints allow one made of samples."""
    for model in newsroom.app.models:
        if model._meta.proxy:
            continue
        links = any(field.is_relation and not field.null and not field.primary_key for field in model._meta.fields)
        for sample in () if links else ("1", "2"):
            values = {
                field.name: _sample(field, sample)
                for field in model._meta.fields
                if not field.is_relation and not isinstance(field, models.AutoField) and field.name != "id"
            }
            with suppress(ToolkitError):
                newsroom.save(model, **values)


def _values(newsroom: Any) -> dict[str, Any]:
    """Something for every column, so that no question stays open."""
    return {
        f"{model._meta.label}.{field.name}": _sample(field, "1")
        for model in with_hidden(newsroom.app.models)
        for field in model._meta.local_fields
    }


def _sample(field: Any, digit: str) -> Any:
    known = f"6ba7b810-9dad-11d1-80b4-00c04fd430c{digit}"
    if field.is_relation:
        key = field
        while key.is_relation:
            key = key.target_field
        return known if isinstance(key, models.UUIDField) else digit
    if isinstance(field, models.BinaryField):
        return digit.encode()
    for value in (
        digit,
        f"2026-11-0{digit}",
        f"0{digit}:00",
        "true",
        known,
        f"10.0.0.{digit}",
        timedelta(hours=int(digit)),
    ):
        try:
            return field.clean(value)
        except ToolkitError:
            continue
    raise AssertionError(field)


def run(
    newsroom_class: Any,
    database: Database,
    model: Any,
    history: list[Any],
    inherits: Any,
    since: Any,
    until: Any,
    answers: Any,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for table in rows(newsroom_class(database, Path(folder))):
            raise AssertionError(f"an example that failed left {table}")
        walk(newsroom_class(database, Path(folder)), model, history, inherits, since, until, answers)


@settings(max_examples=EXAMPLES, phases=PHASES)
@given(history=st.lists(site, min_size=2, max_size=3), inherits=parents, since=begins, until=ends, answers=st.data())
def test_forward_gives_the_models_tables_and_back_gives_the_old_ones(
    newsroom_class, model, history, inherits, since, until, answers
):
    database = Database("sqlite://")
    try:
        run(newsroom_class, database, model, history, inherits, since, until, answers)
    finally:
        database.close()


@settings(
    max_examples=max(2, EXAMPLES // 4),
    phases=PHASES,
)
@given(history=st.lists(site, min_size=2, max_size=3), inherits=parents, since=begins, until=ends, answers=st.data())
def test_the_same_on_a_server(newsroom_class, server, model, history, inherits, since, until, answers):
    clear(server)
    run(newsroom_class, server, model, history, inherits, since, until, answers)


def clear(database: Database) -> None:
    """Drop what an example left that failed."""
    quote = database.sqlalchemy_dialect.identifier_preparer.quote_identifier
    if database.dialect == "mysql":
        database.execute("SET foreign_key_checks = 0")
    for name in database.table_names():
        database.execute(f"DROP TABLE {quote(name)}" + (" CASCADE" if database.dialect == "postgresql" else ""))
    if database.dialect == "mysql":
        database.execute("SET foreign_key_checks = 1")


CONVERTIBLE = {
    "integer": lambda **o: models.IntegerField(**o),
    "positive": lambda **o: models.PositiveIntegerField(**o),
    "char": lambda **o: models.CharField(max_length=20, **o),
    "text": lambda **o: models.TextField(**o),
    "slug": lambda **o: models.SlugField(**o),
    "json": lambda **o: models.JSONField(**o),
}
number = st.tuples(
    st.sampled_from(sorted(CONVERTIBLE)),
    st.sampled_from(["number", "figure"]),
    st.fixed_dictionaries({"null": st.booleans(), "unique": st.booleans()}),
)


def _numbered(model: Any, kind: str, name: str, options: dict[str, Any]) -> Any:
    # PostgreSQL compares no json, and MariaDB indexes no long text
    options = options | ({"unique": False} if kind in ("json", "text") else {})
    label = models.CharField(max_length=9)
    return model("Story", label=label, **{name: CONVERTIBLE[kind](**options)})


@settings(max_examples=8)
@given(history=st.lists(number, min_size=2, max_size=5))
def test_values_survive_any_chain_of_kinds_names_and_options(newsroom_class, database, model, history):
    with tempfile.TemporaryDirectory() as folder:
        newsroom = newsroom_class(database, Path(folder))
        for table in ("news_story", "toolkit_migration"):  # an example that failed left them
            database.execute(f"DROP TABLE IF EXISTS {table}")
        names = []
        for position, (kind, name, options) in enumerate(_one_change_a_time(history)):
            story = _numbered(model, kind, name, options)
            made = newsroom.declare(story).make(fills={f"news.Story.{name}": "7"})
            newsroom.apply()
            if position == 0:
                for value in (1, 20, 300):
                    newsroom.save(story, label=f"row {value}", **{name: value if kind != "char" else str(value)})
            names += [(one.name, name) for one in made]
            assert _stored(newsroom, name) == [("row 1", "1"), ("row 20", "20"), ("row 300", "300")]
        for target, name in reversed(names):
            newsroom.apply(f"news.{target}")
            assert _stored(newsroom, name) == [("row 1", "1"), ("row 20", "20"), ("row 300", "300")]
        newsroom.apply("news.zero")


def _one_change_a_time(history: list[Any]) -> list[Any]:
    """A name and a kind that change together are one field gone and another come: the name changes first."""
    steps = history[:1]
    for kind, name, options in history[1:]:
        steps += [(steps[-1][0], name, steps[-1][2]), (kind, name, options)]
    return steps


def _stored(newsroom: Any, name: str) -> list[tuple[str, str]]:
    return [(label, str(value)) for label, value in newsroom.rows("news_story", f"label, {name}")]
