"""Apps that refer to each other's models: a new database takes all migrations, in an order that has a meaning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.migrations.conftest import FakeApp, fresh_database
from toolkit import migrations, models
from toolkit.database import Database
from toolkit.errors import MigrationError, Problems
from toolkit.migrations.describing import with_hidden
from toolkit.migrations.renames import never
from toolkit.models.resolve import resolve_models
from toolkit.models.schema import Schema


class Apps:
    """The apps ``news`` and ``desk``: news refers to desk, and desk comes first by the alphabet."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.database = database
        self.apps = [FakeApp(label, [], folder / label / "migrations") for label in ("news", "desk")]

    def migrate(self, *, news: list[Any], desk: list[Any], **renames: str) -> None:
        """Declare, make and apply."""
        _, problems = resolve_models({"news": news, "desk": desk})
        assert not problems
        self.apps[0].models, self.apps[1].models = news, desk
        migrations.make(
            self.apps, never, renames={f"desk.{old}".replace("__", "."): new for old, new in renames.items()}
        )
        self.bring_up(self.database)

    def bring_up(self, database: Database) -> None:
        """Apply all that is not, and see that the tables are those of the models."""
        database.schema = Schema(with_hidden([model for app in self.apps for model in app.models]), database.dialect)
        migrations.apply(database, self.apps)
        assert [str(problem) for problem in migrations.check(database, self.apps)] == []


@pytest.fixture
def apps(database: Database, tmp_path: Path) -> Apps:
    return Apps(tmp_path, database)


@pytest.fixture
def new_database(database: Database, tmp_path: Path) -> Iterator[Database]:
    """Another database of the same kind, which has applied nothing."""
    (tmp_path / "new").mkdir()
    with fresh_database(database.dialect, tmp_path / "new") as opened:
        yield opened


def office(model: Any, name: str = "Office", label: str = "label", **fields: Any) -> Any:
    return model(name, **({label: models.CharField(max_length=20, unique=True)} | fields))


def to_office(to: str = "desk.Office", **options: Any) -> Any:
    return models.ForeignKey(to, on_delete=models.CASCADE, null=True, related_name="+", **options)


def test_a_model_is_renamed_behind_all_that_knew_it_by_its_name(apps, new_database, model):
    apps.migrate(news=[model("Writer")], desk=[office(model)])
    many = models.ManyToManyField("desk.Office", related_name="+")
    apps.migrate(news=[model("Writer", office=to_office(), offices=many)], desk=[office(model)])
    many = models.ManyToManyField("desk.Bureau", related_name="+")
    apps.migrate(
        news=[model("Writer", office=to_office("desk.Bureau"), offices=many)],
        desk=[office(model, "Bureau")],
        Office="Bureau",
    )
    apps.bring_up(new_database)


def test_a_rename_that_comes_before_a_reference_of_another_branch_is_named(apps, new_database, model):
    """No app has two ends then, so git and HEAD are silent."""
    apps.migrate(news=[model("Writer")], desk=[office(model)])
    apps.migrate(news=[model("Writer", office=to_office())], desk=[office(model)])
    apps.migrate(
        news=[model("Writer", office=to_office("desk.Bureau"))], desk=[office(model, "Bureau")], Office="Bureau"
    )
    path = apps.apps[1].migrations_folder / "0002_rename_office_bureau.py"
    text = path.read_text()
    behind = '("news", "0002_writer_office")'
    path.write_text(text.replace(behind, '("news", "0001_initial")'))
    told = (
        r"0002_writer_office.py: news.Writer would refer to desk.Office, and there is no such model at this point: "
        r"desk.0002_rename_office_bureau comes before \(Rename model Office to Bureau\). "
    )
    add = r"Let that come after: add \('news', '0002_writer_office'\) to the dependencies of desk.0002_rename"
    for database in (None, new_database):
        assert re.search(told + add, str(migrations.check(database, apps.apps)[-1]))
    migrations.apply(new_database, apps.apps, "desk")
    mend = r"Mend the reference, and add \('desk', '0002_rename_office_bureau'\) to the dependencies"
    assert re.search(told + mend, str(migrations.check(new_database, apps.apps)[-1]))
    migrations.apply(new_database, apps.apps, "desk.0001")
    path.write_text(text)
    apps.bring_up(new_database)


def test_a_model_goes_behind_those_that_referred_to_it_once(apps, new_database, model):
    apps.migrate(news=[model("Writer")], desk=[office(model)])
    apps.migrate(news=[model("Writer", office=to_office())], desk=[office(model)])
    apps.migrate(news=[model("Writer")], desk=[office(model)])
    apps.migrate(news=[model("Writer")], desk=[office(model, "Bureau")], Office="Bureau")
    apps.migrate(news=[model("Writer")], desk=[])
    apps.bring_up(new_database)


def test_a_field_is_renamed_behind_those_that_refer_by_it(apps, new_database, model):
    apps.migrate(news=[model("Writer")], desk=[office(model)])
    apps.migrate(news=[model("Writer", office=to_office(to_field="label"))], desk=[office(model)])
    apps.migrate(
        news=[model("Writer", office=to_office(to_field="sign"))],
        desk=[office(model, label="sign")],
        Office__label="sign",
    )
    apps.migrate(news=[model("Writer")], desk=[office(model, label="sign")])
    apps.migrate(news=[model("Writer")], desk=[model("Office")])
    apps.bring_up(new_database)


def test_a_key_changes_behind_those_that_hold_it(apps, new_database, model):
    def numbered(number: str) -> Any:
        key = {"pk": models.CompositePrimaryKey("label", number), number: models.IntegerField(default=0)}
        return model("Office", label=models.CharField(max_length=20), **key)

    apps.migrate(news=[model("Writer")], desk=[office(model)])
    apps.migrate(news=[model("Writer", office=to_office())], desk=[office(model)])
    by_label = model("Office", label=models.CharField(max_length=20, primary_key=True))
    apps.migrate(news=[model("Writer", office=to_office())], desk=[by_label])
    apps.migrate(news=[model("Writer")], desk=[by_label])
    apps.migrate(news=[model("Writer")], desk=[numbered("number")])
    apps.migrate(news=[model("Writer", office=to_office())], desk=[numbered("number")])
    apps.migrate(news=[model("Writer", office=to_office())], desk=[numbered("row")], Office__number="row")
    apps.bring_up(new_database)


def test_a_parent_changes_behind_those_that_inherit_from_it(apps, new_database, model):
    def inheriting(label: str) -> dict[str, Any]:
        item = model("Item", **{label: models.CharField(max_length=20, default="")})
        return {"news": [model("Photo", inherits=item, width=models.IntegerField(default=0))], "desk": [item]}

    apps.migrate(
        news=[model("Photo", width=models.IntegerField(default=0))],
        desk=[model("Item", label=models.CharField(max_length=20, default=""))],
    )
    apps.migrate(**inheriting("label"))
    apps.migrate(**inheriting("sign"), Item__label="sign")
    apps.migrate(news=[model("Photo", width=models.IntegerField(default=0))], desk=inheriting("sign")["desk"])
    apps.migrate(news=[model("Photo", width=models.IntegerField(default=0))], desk=[model("Item")])
    apps.bring_up(new_database)


def test_apps_that_never_referred_to_a_model_are_not_waited_for(apps, model):
    """An app that many sites use would name an app of one of them."""
    apps.migrate(news=[model("Writer", office=to_office())], desk=[office(model), model("Desk")])
    apps.migrate(
        news=[model("Writer", office=to_office())],
        desk=[office(model, label="sign"), model("Table")],
        Office__label="sign",
        Desk="Table",
    )
    (made,) = (apps.apps[1].migrations_folder).glob("0002*.py")
    assert '"news"' not in made.read_text()


def test_migrations_do_not_become_one_if_others_stand_between_them(apps, new_database, model):
    apps.migrate(news=[model("Writer")], desk=[office(model)])
    apps.migrate(news=[model("Writer")], desk=[office(model, floor=models.IntegerField(default=1))])
    apps.migrate(news=[model("Writer", office=to_office())], desk=[office(model, floor=models.IntegerField(default=1))])
    bureau = office(model, "Bureau", floor=models.IntegerField(default=1))
    apps.migrate(news=[model("Writer", office=to_office("desk.Bureau"))], desk=[bureau], Office="Bureau")
    told = (
        r"desk.0001_initial to 0003_\w+ cannot become one: news.0002_writer_office must be applied after the one and "
        r"before the other.*Squash up to 0002_office_floor, or begin with 0003_"
    )
    with pytest.raises(MigrationError, match=told):
        migrations.squash(apps.apps, "desk", "0001", "0003")
    assert not list(apps.apps[1].migrations_folder.glob("*squashed*"))
    migrations.squash(apps.apps, "desk", "0001", "0002")
    migrations.squash(apps.apps, "news", "0001", "0002")
    apps.bring_up(new_database)


def test_ends_made_side_by_side_are_told_without_what_other_apps_had_before(tmp_path, model):
    """A rename comes behind all that knew the name: that is no part of what was made beside it."""
    apps = [FakeApp(label, [], tmp_path / label / "migrations") for label in ("news", "desk")]

    def make(name, *, renames=None, write=True, **fields):
        writer = model(name, **fields)
        office = model("Office", writer=models.ForeignKey(writer, on_delete=models.CASCADE, related_name="+"))
        apps[0].models, apps[1].models = [writer], [office]
        assert not resolve_models({"news": [writer], "desk": [office]})[1]
        return migrations.make(apps, renames=renames, write=write)

    make("Writer")
    (one,) = make("Writer", write=False, age=models.IntegerField(default=7))
    make("Author", renames={"news.Writer": "Author"})
    one.path.write_text(one.text)
    told = (
        r"news has two ends, made side by side: 0002_rename_writer_author \(Rename model Writer to Author\) and "
        r"0002_writer_age \(Add field age to Writer\)\. "
    )
    assert re.search(told, str(migrations.check(None, apps)[0]))


def test_all_that_may_have_got_other_numbers_are_told_at_once(apps, model):
    apps.migrate(news=[model("Writer")], desk=[office(model)])
    age = models.IntegerField(default=7)
    apps.migrate(news=[model("Writer", age=age)], desk=[office(model, age=models.IntegerField(default=7))])
    for app, name in zip(apps.apps, ("writer_age", "office_age"), strict=True):
        folder = app.migrations_folder
        (folder / f"0002_{name}.py").rename(folder / f"0003_{name}.py")
    told = r"(?s)other numbers; nothing was changed.*desk\.0003_office_age is not applied.*news\.0003_writer_age is not"
    with pytest.raises(Problems, match=told):
        migrations.apply(apps.database, apps.apps)
