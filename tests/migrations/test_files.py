"""Migration files: what they say, how they are named, and how they are read."""

from __future__ import annotations

import datetime
import decimal
import enum
import math
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit import gis, migrations, models
from toolkit.errors import MigrationError, Problems
from toolkit.migrations.layout import render
from toolkit.migrations.loader import Graph, LoadedMigration, load_file, load_graph
from toolkit.migrations.values import is_writable, write_value
from toolkit.migrations.writer import migration_name, migration_text, write_file
from toolkit.models import F, Q

GOLDEN = Path(__file__).with_name("golden_initial.py.txt")


class Level(enum.Enum):
    HIGH = "high"


@dataclass(frozen=True)
class Price:
    """A value of somebody's class."""

    amount: decimal.Decimal
    currency: str = "EUR"


class Span:
    """One that says itself how it is made."""

    def __init__(self, first, *, last):
        self.pages = (first, last)

    def deconstruct(self):
        return f"{__name__}.Span", (self.pages[0],), {"last": self.pages[1]}


def make_key():
    return "key"


def take_step(models, database):
    """A step of one's own."""


def declared(model):
    section = model(
        "Section", name=models.CharField(max_length=60, translated=True), slug=models.SlugField(unique=True)
    )
    return section, model(
        "Story",
        {
            "constraints": [
                models.UniqueConstraint(
                    fields=["section", "slug"], name="one_slug_a_section", violation_error_message="taken"
                ),
                models.CheckConstraint(
                    condition=(Q(weight__gte=0) & Q(status__in=["live", "draft"])) | ~Q(weight__lt=F("limit")),
                    name="sound",
                ),
            ],
            "indexes": [models.Index(fields=["-published"], name="newest", condition=Q(status="live"))],
        },
        title=models.CharField(max_length=160, verbose_name="headline", help_text="Never in a migration"),
        slug=models.SlugField(max_length=80),
        section=models.ForeignKey(section, on_delete=models.PROTECT, related_name="stories"),
        tags=models.ManyToManyField("Section", related_name="tagged"),
        status=models.CharField(max_length=10, choices=[("live", "Live")], default="live"),
        weight=models.IntegerField(default=0),
        limit=models.IntegerField(db_column="upper_limit", null=True),
        price=models.DecimalField(max_digits=6, decimal_places=2, default=decimal.Decimal("1.50")),
        published=models.DateTimeField(db_index=True, auto_now_add=True),
        day=models.DateField(default=datetime.date.today),
        spot=gis.PointField(null=True, srid=3857),
    )


def test_the_file_of_a_first_migration_is_the_golden_one(sqlite_newsroom, model):
    """Refresh with TOOLKIT_REFRESH_GOLDEN=1, and read the difference."""
    (made,) = sqlite_newsroom.declare(*declared(model)).make()
    if os.environ.get("TOOLKIT_REFRESH_GOLDEN"):
        GOLDEN.write_text(made.text, "utf-8")
    assert made.text == GOLDEN.read_text("utf-8")
    assert made.path.read_text("utf-8") == made.text


def test_the_formatter_has_nothing_to_do_on_the_golden_file():
    result = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--diff", "--isolated", "--line-length", "110", "-"],
        input=GOLDEN.read_text("utf-8"),
        capture_output=True,
        text=True,
        check=False,
    )
    if "No module named ruff" in result.stderr:
        pytest.skip("ruff is not installed")
    assert result.stdout == ""


def test_a_file_read_again_says_what_the_models_say(sqlite_newsroom, model):
    sqlite_newsroom.declare(*declared(model)).make()
    assert sqlite_newsroom.make() == []


def test_labels_choices_and_validators_make_no_migration(sqlite_newsroom, model):
    sqlite_newsroom.declare(model("Story", title=models.CharField(max_length=10))).make()
    changed = models.CharField(
        max_length=10, verbose_name="Head", help_text="x", choices=[("a", "A")], default="a", validators=[print]
    )
    assert sqlite_newsroom.declare(model("Story", title=changed)).make() == []


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.datetimes(timezones=st.none() | st.just(datetime.UTC))
    | st.uuids(),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(values)
def test_a_written_value_is_read_back_the_same(value):
    source = render(write_value(value, set()))
    names = {"datetime": datetime, "decimal": decimal, "uuid": uuid}
    assert eval(source, names) == value  # our own text


def test_functions_classes_and_members_are_written_by_name_with_their_import():
    imports = set()
    written = [render(write_value(value, imports)) for value in (make_key, Level.HIGH, dict, uuid.uuid4)]
    module = make_key.__module__
    assert written == [f"{module}.make_key", f"{module}.Level.HIGH", "dict", "uuid.uuid4"]
    assert imports == {module, "uuid"}


def test_values_of_somebodys_class_are_written_as_the_call_that_makes_them():
    imports = set()
    condition = Q(price__gte=Price(decimal.Decimal("0.50"))) & Q(pages=Span(1, last=9))
    source = render(write_value(condition, imports))
    assert f'price__gte={__name__}.Price(amount=decimal.Decimal("0.50"), currency="EUR")' in source
    assert f"pages={__name__}.Span(1, last=9)" in source
    assert imports == {"decimal", "toolkit.models", __name__}


def test_infinity_and_sets_are_written():
    assert render(write_value({math.inf}, set())) == 'set([float("inf")])'


def test_what_has_no_name_is_refused_with_a_hint():
    with pytest.raises(MigrationError, match=r"cannot be written.*instead of a lambda"):
        write_value(lambda: 1, set())
    assert not is_writable(object())
    odd = migrations.AddConstraint("Story", models.CheckConstraint(condition=Q(price=object()), name="priced"))
    with pytest.raises(
        MigrationError, match=r"^\w.*priced.*: <object .* cannot be written into a migration\. Use a plain"
    ):
        migration_text([odd])


@pytest.mark.parametrize(
    ("condition", "source"),
    [
        (Q(a=1), "models.Q(a=1)"),
        (Q(a=1, b="x"), 'models.Q(a=1, b="x")'),
        (~Q(a=1), "~models.Q(a=1)"),
        (Q(a=1) | Q(b=2), "models.Q(a=1) | models.Q(b=2)"),
        (~(Q(a=1) | Q(b=2)), "~(models.Q(a=1) | models.Q(b=2))"),
        (~Q(a=1) & (Q(b=2) | ~Q(c=F("d"))), '~models.Q(a=1) & (models.Q(b=2) | ~models.Q(c=models.F("d")))'),
    ],
)
def test_conditions_are_written_with_the_brackets_they_need(condition, source):
    assert render(write_value(condition, set())) == source
    assert repr(eval(source, {"models": models})).count("NOT") == repr(condition).count("NOT")


def test_names_tell_what_is_done():
    add = migrations.AddField("Story", "kicker", models.TextField())
    assert migration_name(2, [add]) == "0002_story_kicker"
    assert migration_name(12, [add, migrations.DeleteModel("Section")]) == "0012_story_kicker_delete_section"
    assert migration_name(3, [add] * 9) == "0003_story_kicker_story_kicker_story_kicker_story_kicker_and_more"
    assert migration_name(1, [add], initial=True) == "0001_initial"
    assert migration_name(5, [migrations.RemoveIndex("Story", 'by "it"')]) == "0005_remove_by_it_"
    assert migration_name(4, [migrations.RunSQL("SELECT 1")]) == "0004_custom"


def test_a_file_that_is_there_is_never_written_over(tmp_path):
    path = tmp_path / "0001_initial.py"
    path.write_text("# mine")
    with pytest.raises(MigrationError, match=r"0001_initial.py: the file is there already. Move it away"):
        write_file(path, "new")
    assert path.read_text() == "# mine"


def test_your_own_steps_are_written_too():
    both = migrations.RunPython(take_step, reverse_code=migrations.RunPython.noop)
    text = migration_text([migrations.RunSQL("SELECT 1", reverse_sql=""), migrations.RunPython(take_step), both])
    assert f"migrations.RunPython({take_step.__module__}.take_step, reverse_code=migrations.RunPython.noop)" in text
    assert "toolkit.migrations.operations" not in text
    assert 'migrations.RunSQL("SELECT 1", reverse_sql="")' in text
    assert f"migrations.RunPython({take_step.__module__}.take_step)" in text


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("class Migration(:", r"0001_x.py:1: the migration cannot be run: SyntaxError"),
        ("\n\nimport nowhere_at_all", r"0001_x.py:3: the migration cannot be run: ModuleNotFoundError"),
        ("Migration = 1", r"the file has no class Migration. Write: class Migration\(migrations.Migration\)"),
        ("from toolkit.migrations import Migration", "the file has no class Migration"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_its_line(tmp_path, source, message):
    path = tmp_path / "0001_x.py"
    path.write_text(source)
    with pytest.raises(MigrationError, match=message):
        load_file("news", path)


def test_all_files_that_cannot_be_read_are_reported_at_once(sqlite_newsroom):
    folder = sqlite_newsroom.app.migrations_folder
    folder.mkdir(parents=True)
    for name in ("0001_a", "0002_b"):
        (folder / f"{name}.py").write_text("oops")
    with pytest.raises(Problems, match=r"(?s)0001_a.py:1.*0002_b.py:1"):
        load_graph([sqlite_newsroom.app])


def loaded(name, *dependencies, app="news"):
    return LoadedMigration(app, name, Path(f"{app}/migrations/{name}.py"), dependencies)


def test_migrations_are_ordered_by_their_dependencies():
    graph = Graph(
        [
            loaded("0001_first", ("other", "0002_b")),
            loaded("0001_a", app="other"),
            loaded("0002_b", ("other", "0001_a"), app="other"),
        ]
    )
    assert [migration.name for migration in graph] == ["0001_a", "0002_b", "0001_first"]


def test_a_long_history_is_no_problem():
    chain = [loaded("0000")] + [loaded(f"{n:04}", ("news", f"{n - 1:04}")) for n in range(1, 3000)]
    assert len(Graph(reversed(chain)).order) == 3000


def test_a_missing_dependency_is_explained_with_the_nearest_name():
    with pytest.raises(Problems, match=r"0002_b.py: it depends on \('news', '0001_inital'\).*mean '0001_initial'"):
        Graph([loaded("0001_initial"), loaded("0002_b", ("news", "0001_inital"))])


def test_a_circle_is_drawn():
    with pytest.raises(Problems, match=r"in a circle: news.0001 -> other.0001 -> news.0001"):
        Graph([loaded("0001", ("other", "0001")), loaded("0001", ("news", "0001"), app="other")])
