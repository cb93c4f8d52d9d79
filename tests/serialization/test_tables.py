"""Plain tables, in and out."""

from __future__ import annotations

import io
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.serialization.world import City, Country, Everything, Guild, Place, Restaurant, Seat, Topic, loaded
from toolkit.errors import ContentError, DatabaseUnavailable, Problems
from toolkit.models import QuerySet
from toolkit.serialization import Imported, export_rows, import_rows, kind_of_table, read_table
from toolkit.trace import Scope


def imported(scope: Scope, model: Any, text: str | bytes, kind: str = "csv", **options: Any) -> Imported:
    source = io.BytesIO(text.encode() if isinstance(text, str) else text)
    encoding = options.pop("encoding", None)
    rows = read_table(source, kind, encoding=encoding)
    return import_rows(scope, model, rows, path=f"rows.{kind}", textual=kind == "csv", **options)


def exported(scope: Scope, model: Any, **options: Any) -> str:
    out = io.StringIO(newline="")
    export_rows(scope, model, out, **options)
    return out.getvalue()


def wrong(scope: Scope, model: Any, text: str | bytes, kind: str = "csv", **options: Any) -> list[str]:
    before = QuerySet(model).count()
    with pytest.raises(Problems, match="found") as caught:
        imported(scope, model, text, kind, **options)
    assert QuerySet(model).count() == before
    return [str(problem) for problem in caught.value.problems]


def test_a_table_is_imported_and_importing_again_changes_nothing(scope: Scope) -> None:
    text = "name,stars\nInn,4\nBar,\n"
    assert imported(scope, Place, text, key="name") == Imported(added=2)
    assert imported(scope, Place, text, key="name").unchanged == 2
    assert imported(scope, Place, text.replace("4", "5"), key="name") == Imported(changed=1, unchanged=1)
    assert dict(Place.objects.values_list("name", "stars")) == {"Inn": 5, "Bar": 3}


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("name;stars\r\nCafé;4\r\n", {}),
        ("name\tstars\nCafé\t4\n", {}),
        ("\ufeffname,stars\nCafé,4\n", {}),
        ("name,stars\nCafé,4\n".encode("utf-16"), {}),
        ("name,stars\nCafé,4\n".encode("latin-1"), {"encoding": "latin-1"}),
        ("Title,Stars,Extra\nCafé,4,x\n", {"columns": {"Title": "name", "Stars": "stars", "Extra": "", "More": ""}}),
    ],
)
def test_tables_of_many_programs(scope: Scope, text: str | bytes, options: Any) -> None:
    assert imported(scope, Place, text, **options) == Imported(added=1)
    assert Place.objects.get(name="Café").stars == 4


@pytest.mark.parametrize(
    ("kind", "text"), [("json", '[{"name": "Inn", "stars": 4}]'), ("jsonl", '{"name": "Inn", "stars": 4}\n')]
)
def test_json_is_a_table_too(scope: Scope, kind: str, text: str) -> None:
    assert imported(scope, Place, text, kind) == Imported(added=1)


def test_relations_are_named_by_natural_key(world: SimpleNamespace, scope: Scope) -> None:
    text = f'name,country,topics\nCusco,Peru,"{world.root.pk}, {world.leaf.pk}"\n'
    assert imported(scope, City, text) == Imported(added=1)
    assert imported(scope, City, text) == Imported(unchanged=1)
    cusco = City.objects.get(name="Cusco")
    assert cusco.country == Country.objects.get()
    assert set(cusco.topics.all()) == {world.root, world.leaf}
    assert "no world.Country has name 'Perú'" in wrong(scope, City, "name,country\nPuno,Perú\n")[0]


def test_a_row_may_refer_to_one_further_down(scope: Scope) -> None:
    imported(scope, Topic, "id,slug,name,parent\n1,leaf,Leaf,2\n2,root,Root,\n", key="id")
    assert Topic.objects.get(slug="leaf").parent.slug == "root"
    assert Topic.objects.create(slug="new", name="New").pk > 2


def test_all_rows_that_are_wrong_are_told_with_line_and_column(scope: Scope) -> None:
    told = wrong(scope, Place, f'name,star\n"two\nlines",x\n{"x" * 41},4\n,5\n', columns={"star": "stars"})
    assert [each.split(": ", 1)[0] for each in told] == ["rows.csv:2:star", "rows.csv:4:name", "rows.csv:5:name"]
    assert "Did you mean 'stars'" in wrong(scope, Place, "name,star\nInn,4\n")[0]
    assert "stands twice" in wrong(scope, Place, "name\nInn\nInn\n", key="name")[0]
    assert wrong(scope, Place, "name,stars\nInn\nBar,x\nPub,1,2\n") == [
        "rows.csv:2: the row has 1 cell, and the header 2",
        "rows.csv:3:stars: 'x' is not a whole number",
        "rows.csv:4: the row has 3 cells, and the header 2",
    ]
    assert "rows.csv:3:name: text may not contain a null" in wrong(scope, Place, "name\nInn\nx\0y\n", key="name")[0]
    lines = '{"name": "Inn"}\n{"star": 4}\n'
    assert "rows.jsonl:2:star: " in wrong(scope, Place, lines, "jsonl")[0]


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        ("name,Title\na,b\n", {"columns": {"Title": "name"}}, "1:Title: world.Place.name is the column 'name' already"),
        ("name,stars\na,3\n", {"columns": {"nam": "name"}}, "1: there is no column 'nam', .* Did you mean 'name'"),
        ("stars\n3\n", {"key": "name"}, "1: there is no column 'name', and the key is 'name'"),
        ("name,points\na,5\n", {}, "1:points: world.Place.points is computed by the database. Pass it over with --map"),
        ("name,stars\na,3\n".encode("utf-16-le"), {}, "1: the names of the columns have null .*--encoding utf-16-le"),
        (b"PK\x03\x04\x14\x00", {}, "the file is a workbook, .*Save it as CSV"),
        ("name\na\n", {"encoding": "hex"}, "1: the file is not hex: .*is not a text encoding"),
    ],
)
def test_a_table_that_is_another_than_was_said(scope: Scope, text: str | bytes, options: Any, told: str) -> None:
    assert re.search(rf"rows\.csv.*{told}", wrong(scope, Place, text, **options)[0])


def test_values_between_tabs_are_known_by_the_ending_of_their_file() -> None:
    assert [kind_of_table(Path(name)) for name in ("a.tsv", "a.tsv.gz", "a.csv", "a.jsonl.xz")] == [
        "csv", "csv", "csv", "jsonl",
    ]  # fmt: skip
    with pytest.raises(ContentError, match="cannot be told by its ending"):
        kind_of_table(Path("tsv.txt"))


def test_a_file_of_another_encoding(scope: Scope) -> None:
    with pytest.raises(Problems, match="--encoding latin-1"):
        imported(scope, Place, "name\nCafé\n".encode("latin-1"))


def test_a_dry_run_writes_nothing(scope: Scope) -> None:
    assert imported(scope, Place, "name\nInn\n", dry_run=True) == Imported(added=1)
    assert not Place.objects.exists()


def test_a_table_is_exported_and_comes_back(world: SimpleNamespace, scope: Scope) -> None:
    text = exported(scope, City, fields=["id", "name", "country", "topics"])
    assert text == f'id,name,country,topics\n7,Lima,Peru,"{world.root.pk}, {world.leaf.pk}"\n'
    assert imported(scope, City, text) == Imported(unchanged=1)
    for kind in ("json", "jsonl"):
        assert imported(scope, City, exported(scope, City, kind=kind), kind) == Imported(unchanged=1)


def test_partners_whose_names_have_commas_and_quotes_come_back(world: SimpleNamespace, scope: Scope) -> None:
    names = ["Korea, North", '"Free" State', 'Peru 5"', "Two\nlines", "=Sum, all", "Chad"]
    countries = [Country.objects.create(id=10 + n, name=name, capital_id=7) for n, name in enumerate(names)]
    guild = Guild.objects.create(title="First")
    guild.countries.set(countries)
    text = exported(scope, Guild)
    assert '"""Korea, North"", """"""Free"""" State"", Peru 5""' in text
    assert imported(scope, Guild, text) == Imported(unchanged=1)
    assert imported(scope, Guild, 'title,countries\nNext,"Chad , ""Korea, North"" ,,Peru 5"""\n') == Imported(added=1)
    assert Guild.objects.get(title="Next").countries.count() == 3


def test_a_partner_that_cannot_be_is_told_from_one_that_is_not_there(
    scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wrong(scope, Restaurant, 'name,dish,topics\nInn,Soup,"x,99"\n') == [
        "rows.csv:2:topics: 'x' is not a whole number",
        "rows.csv:2:topics: no world.Topic has id '99'",
    ]
    assert "AutoField takes one value" in wrong(scope, Topic, '[{"slug": "a", "parent": [1]}]', "json")[0]

    def lost(*_: object) -> None:
        raise DatabaseUnavailable("the connection was lost")

    monkeypatch.setattr(QuerySet, "__getitem__", lost)
    with pytest.raises(DatabaseUnavailable, match="was lost"):
        imported(scope, City, "name,country\nLima,Peru\n")


def test_a_row_that_may_be_one_or_another_is_told(
    world: SimpleNamespace, scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = (Place.objects.create(name="Square").pk for _ in range(2))
    both = f"rows.csv:2:name: the rows {one} and {two} of world.Place both have this. Tell the rows by --key, or"
    assert wrong(scope, Place, "name,stars\nSquare,4\n", key="name") == [f"{both} change one of them."]
    assert imported(scope, Place, f"id,name,stars\n{two},Square,4\n") == Imported(changed=1)
    monkeypatch.setattr(Topic._meta, "natural_key", ("slug",))
    leaf, twin = world.leaf.pk, Topic.objects.create(slug="leaf", name="Another").pk
    both = f"rows.csv:2:topics: slug 'leaf': the rows {leaf} and {twin} of world.Topic both have this. Change one"
    assert wrong(scope, City, "name,topics\nLima,leaf\n") == [f"{both} of them."]


@pytest.mark.parametrize(
    "write",
    [
        lambda scope: imported(scope, Place, "name,stars\nInn,4\nBar,3\n"),
        lambda scope: loaded(scope, '[{"model": "world.Place", "pk": 1, "fields": {"name": "Inn"}}]', "json"),
    ],
)
def test_a_connection_that_is_lost_is_no_fault_of_the_row_that_is_written(scope: Scope, write: Any) -> None:
    asked = []

    def lose(execute: Any, sql: str, *arguments: Any) -> Any:
        if not sql.startswith("INSERT"):
            return execute(sql, *arguments)
        asked.append(sql)
        raise DatabaseUnavailable("the connection was lost")

    with pytest.raises(DatabaseUnavailable, match=r"^the connection was lost"), scope.database.wrap(lose):
        write(scope)
    assert len(asked) == 1


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_is_no_formula(scope: Scope, text: str) -> None:
    Everything.objects.create(file="x", char=text, integer=-1)
    cells = exported(scope, Everything, fields=["integer", "char"]).removeprefix("integer,char\n")
    assert cells.removesuffix("\n").replace('"', "") == f"-1,'{text}"
    assert f",{text}" in exported(scope, Everything, fields=["integer", "char"], raw=True).replace('"', "")
    table = exported(scope, Everything, fields=["id", "char"])
    assert imported(scope, Everything, table) == Imported(unchanged=1)
    assert imported(scope, Everything, table.replace("'", "''")) == Imported(changed=1)
    assert imported(scope, Everything, exported(scope, Everything, fields=["id", "char"])) == Imported(unchanged=1)
    assert Everything.objects.get().char == f"'{text}"


def test_rows_are_found_again_by_several_fields(scope: Scope) -> None:
    seats = "hall,number,padded\nA,1,false\nA,2,false\n"
    assert imported(scope, Seat, seats) == Imported(added=2)
    assert imported(scope, Seat, seats.replace("2,false", "2,true")) == Imported(changed=1, unchanged=1)
    assert "stands twice: in row 1 too" in wrong(scope, Seat, "hall,number\nA,1\nA,1\n")[0]
    topics = "slug,name,parent\nroot,Root,\n"
    assert imported(scope, Topic, topics) == Imported(added=1)
    topics += f"leaf,Leaf,{Topic.objects.get().pk}\n"
    assert imported(scope, Topic, topics) == Imported(added=1, unchanged=1)
    assert imported(scope, Topic, topics.replace("Leaf", "Twig")) == Imported(changed=1, unchanged=1)
    assert imported(scope, Topic, "slug,name\nleaf,Leaf\n", key="slug") == Imported(changed=1)


def test_rows_of_a_model_that_inherits_are_found_by_the_key_that_its_table_shows(scope: Scope) -> None:
    Restaurant.objects.create(name="Inn", dish="Soup")
    table = exported(scope, Restaurant)
    assert imported(scope, Restaurant, table) == Imported(unchanged=1)
    assert imported(scope, Restaurant, table.replace("Soup", "Stew")) == Imported(changed=1)


def test_a_byte_that_is_no_text_is_told_with_its_line(scope: Scope) -> None:
    (told,) = wrong(scope, Place, b"name\nInn\nCaf\xe9\n")
    assert told.startswith("rows.csv:3: the file is not UTF-8")


def test_a_field_that_is_not_there(scope: Scope) -> None:
    with pytest.raises(ContentError, match="Did you mean 'stars'"):
        exported(scope, Place, fields=["star"])


def test_rows_told_twice_are_found_however_they_are_written_and_however_far_apart(scope: Scope) -> None:
    lines = "".join(f"Place {number}\n" for number in range(1_200))
    (told,) = wrong(scope, Place, f"name\n{lines}Place 7\n", key="name")
    assert "'Place 7' stands twice: in row 8 too" in told
    told = "\n".join(wrong(scope, Everything, "decimal\n1.5\n1.50\n", key="decimal"))
    assert "stands twice: in row 1 too" in told
