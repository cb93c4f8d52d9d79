"""Files that are not what they should be, or mean harm."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.serialization.world import Place as World
from tests.serialization.world import dumped, loaded
from toolkit.errors import ContentError, Problems
from toolkit.serialization import Loaded, Record, format_of, load
from toolkit.serialization.formats import opened
from toolkit.trace import Scope

ROW = Record("news.Tag", "1", {"name": "A", "slug": "a"})
BOMB = '<!DOCTYPE rows [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


def read(kind: str, text: str | bytes) -> list[Any]:
    return list(format_of(kind).read(io.BytesIO(text.encode() if isinstance(text, str) else text)))


def written(kind: str) -> str:
    out = io.StringIO()
    format_of(kind).write([ROW, ROW], out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        ("json", '[{"model": "a.B", "pk": 1, "pk": 2}]', "'pk' stands twice"),
        ("json", '[{"model": "a.B", "pk": NaN}]', "NaN is no JSON"),
        ("json", '[{"model": "a.B", "pk": -Infinity}]', "Infinity is no JSON"),
        ("json", "[" * 200_000, "nested too deeply"),
        ("yaml", "[" * 50_000, "nested too deeply"),
        ("json", '{"model": "a.B"}', "no array"),
        ("json", "[] []", "follows the end"),
        ("json", "[{}, ]", "no JSON"),
        ("json", b"[\n\xff]", "not UTF-8"),
        ("json", "", "no array"),
        ("yaml", "- &a [x, x]\n- *a\n", "alias"),
        ("yaml", "- model: a\n  model: b\n", "stands twice"),
        ("yaml", "- !!python/object/apply:os.system ['x']\n", "no YAML"),
        ("yaml", "[" * 5_000 + "\n", "no YAML"),
        ("yaml", "- a\n---\n- b\n", "no YAML"),
        ("yaml", "model: a\n", "no list"),
        ("xml", f'{BOMB}<rows><row model="a.B"><field name="x">&b;</field></row></rows>', "document type"),
        ("xml", f'{BOMB}<rows version="&b;"/>', "document type"),
        ("xml", '<!DOCTYPE rows SYSTEM "file:///etc/passwd"><rows/>', "document type"),
        ("xml", '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rows>&x;</rows>', "document type"),
        ("xml", "<rows>" + "<row>" * 100_000, "no XML"),
        ("xml", '<rows><row model="a.B"><field name="x">&x;</field></row></rows>', "no XML"),
        ("xml", "<table/>", "begins with <table>"),
        ("xml", '<rows version="2"/>', "of version '2', and only version 1 is known"),
        ("xml", "", "no XML"),
        ("csv", "$model,$pk\nnews.Tag,1", "cut off"),
        ("csv", "$model,$model\n", "stands twice"),
        ("csv", "$model" + ",a" * 50_000 + "\n", "'a' stands twice"),
        ("csv", "a,b\n1,2\n", "no column"),
        ("yaml", "- model: !!bool maybe\n", "it is no bool"),
        ("yaml", "- model: !!timestamp noon\n", "it is no timestamp"),
        ("yaml", "- pk: 1" + ":59" * 300 + ".5\n", "it is no float"),
        ("yaml", "- pk: 0x" + "f" * 5_000 + "\n", "it has more than 4,300 digits"),
        ("yaml", "- fields: {facts: {1: a, '1': b}}\n", "the key '1' stands twice"),
        ("csv", b"$model,a\nnews.Tag,\xff\n", "not UTF-8: .*Save it as UTF-8"),
        ("csv", "$model,a\rnews.Tag,1\n", "no CSV: new-line character seen in unquoted field$"),
        ("xml", '<rows>\n<row model="a.B"><field name="x">&nbsp;</field></row></rows>', "no XML: Entity 'nbsp' not"),
    ],
)
def test_a_file_that_is_refused(kind: str, text: str | bytes, told: str) -> None:
    with pytest.raises(ContentError, match=told):
        read(kind, text)


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        ("jsonl", '{"a": 1, "a": 2}\n', "stands twice"),
        ("jsonl", '{"model": NaN}\n', "NaN"),
        ("jsonl", "[" * 200_000 + "\n", "nested too deeply"),
        ("jsonl", '{"model": "a.B", "key": 1}\n', "has a key 'key'"),
        ("json", "[1]", "no record"),
        ("json", '[{"model": "a.B", "pk": 1}]', "record 1 has no fields"),
        ("json", '[{"model": "a.B", "fields": []}]', "no table of names"),
        ("yaml", "- model: a.B\n  fields: {1: 2}\n", "no table of names"),
        ("csv", "$model,a\nnews.Tag\n", "1 cells"),
        ("csv", "$model,a\nnews.Tag,[1\n", "no JSON"),
        ("xml", '<rows><row model="a.B">lost<field name="a">1</field></row></rows>', "'lost' stands beside the fields"),
        (
            "xml",
            '<rows><row model="a.B"><field name="a"><xi:include xmlns:xi="http://www.w3.org/2001/XInclude"'
            ' href="/etc/passwd"/></field></row></rows>',
            "inside of a value",
        ),
        ("xml", '<rows><row><field name="a">1</field></row></rows>', "names no model"),
        ("xml", '<rows><rwo model="a.B"/></rows>', "<rwo> is no <row>"),
        ("xml", '<rows><a><rows><row model="a.B"/></rows></a></rows>', "<a> is no <row>"),
        ("xml", '<rows><row model="a.B"><field name="a">\\x</field></row></rows>', "lone backslash"),
        ("xml", '<rows><row model="a.B"><field name="a">\\u{110000}</field></row></rows>', "is no character"),
    ],
)
def test_a_record_that_is_refused(kind: str, text: str, told: str) -> None:
    (found,) = read(kind, text)
    assert isinstance(found, ContentError)
    assert told in str(found)


@pytest.mark.parametrize(
    ("kind", "text", "line"),
    [
        ("json", b'[\n{"model": "a.B"},\n\xff]', 3),
        ("yaml", b"- model: a.B\n- model: \xe9\n", 2),
        ("yaml", b"- model: a.B\n" * 9_000 + b"- model: \xe9\n" + b"- model: a.B\n" * 9_000, 9_001),
        ("yaml", b'- model: a.B\n- model: "\x01"\n', 2),
        ("yaml", b"- model: a.B\n- model: a", 2),
        ("yaml", b"- {model: a.B, fields: {}}\n- pk: !!int ''\n", 2),
        ("csv", b"$model,$pk\nnews.Tag,1\nnews.Tag,2", 3),
    ],
)
def test_where_a_file_cannot_be_read_is_told_with_its_line(kind: str, text: bytes, line: int) -> None:
    with pytest.raises(ContentError, match=r"not UTF-8|a character #x0001|cut off|it is no int") as refused:
        read(kind, text)
    assert refused.value.line == line


def test_a_cell_that_is_no_list_is_told_with_its_column() -> None:
    (found,) = read("csv", "$model,a,b\nnews.Tag,1,[1\n")
    assert (found.line, found.column) == (2, "b")


def test_yaml_may_be_utf_16() -> None:
    (found,) = read("yaml", "- model: a.B\n  fields: {name: Caf\xe9}\n".encode("utf-16"))
    assert found.fields == {"name": "Caf\xe9"}


def test_a_record_on_a_line_with_others_is_told_by_its_number(scope: Scope) -> None:
    place = '{"model": "world.Place", "pk": %d, "fields": {"%s": "x"}}'
    text = f"[{place % (1, 'nam')}, {place % (2, 'name')}, {place % (3, 'nmae')}]"
    with pytest.raises(Problems) as caught:
        loaded(scope, text, "json")
    assert [str(each).partition("Place")[0] for each in caught.value.problems] == [
        "rows.json:1:nam: world.", "rows.json:1:nmae: record 3: world.",
    ]  # fmt: skip


def test_a_file_that_is_broken_is_told_before_what_that_leads_to(scope: Scope, tmp_path: Path) -> None:
    whole = gzip.compress(b'{"model": "world.Place", "pk": 1, "fields": {"name": "x"}}\n')
    (tmp_path / "rows.jsonl.gz").write_bytes(whole[:-8] + b"\0\0\0\0" + whole[-4:])
    with opened(tmp_path / "rows.jsonl.gz", "r") as source, pytest.raises(Problems) as caught:
        load(scope, format_of("jsonl"), source, path="rows.jsonl.gz")
    assert str(caught.value.problems[0]).startswith("rows.jsonl.gz: the file cannot be read to its end: CRC check")


def test_a_lone_backslash_is_told_with_the_line_of_its_record() -> None:
    (found,) = read("xml", '<rows>\n<row model="a.B" pk="\\x"/></rows>')
    assert (found.line, "lone backslash" in found.message) == (2, True)


@pytest.mark.parametrize("kind", ["json", "jsonl", "yaml", "xml", "csv"])
def test_a_file_that_was_cut_off_is_refused(kind: str) -> None:
    text = written(kind)
    cut = text[: len(text) - 9]
    try:
        found = read(kind, cut)
    except ContentError:
        return
    assert isinstance(found[-1], ContentError)


@pytest.mark.parametrize("kind", ["json", "jsonl", "yaml", "xml"])
def test_an_empty_dump_is_read_as_empty(kind: str) -> None:
    out = io.StringIO()
    format_of(kind).write([], out)
    assert read(kind, out.getvalue()) == []


@pytest.mark.parametrize("ending", ["", ".gz", ".bz2", ".xz"])
def test_the_same_rows_give_the_same_bytes(tmp_path: Path, ending: str) -> None:
    paths = [tmp_path / f"{name}.jsonl{ending}" for name in "ab"]
    for path in paths:
        with opened(path, "w") as file:
            format_of(None, path).write([ROW], file)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with opened(paths[0], "r") as file:
        assert [each.fields for each in format_of("jsonl").read(file)] == [ROW.fields]


def test_compression_is_compression(tmp_path: Path) -> None:
    for ending, module in ((".gz", gzip), (".bz2", bz2), (".xz", lzma)):
        path = tmp_path / f"a.json{ending}"
        with opened(path, "w") as file:
            file.write("[]\n")
        assert module.decompress(path.read_bytes()) == b"[]\n"  # type: ignore[attr-defined]


def test_a_format_that_is_not_known() -> None:
    with pytest.raises(ContentError, match="Did you mean 'json'"):
        format_of("jsom")
    with pytest.raises(ContentError, match="cannot be told by its ending"):
        format_of(None, Path("rows.txt"))


PIPES = '''
from toolkit.errors import ContentError
from toolkit.serialization import Place, Record


class Pipes:
    """``news.Tag|1|name=A``."""

    textual = True
    endings = (".pipes",)

    def write(self, records, out):
        for record in records:
            fields = (f"{name}={value}" for name, value in record.fields.items() if value is not None)
            out.write("|".join([record.model, str(record.pk), *fields]) + "\\n")

    def read(self, source):
        for number, line in enumerate(source, 1):
            model, *rest = line.decode().rstrip().split("|")
            if not rest:
                yield ContentError("a line has a model, a key and fields", line=number)
                continue
            yield Record(model, rest[0], dict(cell.split("=", 1) for cell in rest[1:]), {}, Place(number, number))
'''


@pytest.fixture
def pipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution of somebody else, as an installer leaves it."""
    (tmp_path / "courier_pipes.py").write_text(PIPES)
    found = tmp_path / "courier_pipes-1.0.dist-info"
    found.mkdir()
    (found / "METADATA").write_text("Metadata-Version: 2.1\nName: courier-pipes\nVersion: 1.0\n")
    (found / "entry_points.txt").write_text(
        "[toolkit.formats]\npipes = courier_pipes:Pipes\ngone = courier_pipes:Gone\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "courier_pipes", raising=False)


@pytest.mark.usefixtures("pipes")
def test_a_format_of_another_distribution_is_found_by_its_name_and_its_ending(scope: Scope, tmp_path: Path) -> None:
    World.objects.create(name="Inn")
    text = dumped(scope, "pipes", models=[World])
    assert text.startswith("world.Place|") and "name=Inn" in text
    assert loaded(scope, text, "pipes") == Loaded(unchanged=1)
    path = tmp_path / "rows.pipes.gz"
    with opened(path, "w") as file:
        file.write(text.replace("Inn", "Bar"))
    with opened(path, "r") as file:
        assert load(scope, format_of(None, path), file, path=path) == Loaded(changed=1)
    with pytest.raises(Problems, match=r"rows\.pipes:2: a line has a model"):
        loaded(scope, f"{text}nothing\n", "pipes")
    with pytest.raises(ContentError, match="Did you mean 'pipes'"):
        format_of("pipe")


@pytest.mark.usefixtures("pipes")
def test_a_format_that_its_distribution_has_no_more_is_told() -> None:
    with pytest.raises(ContentError, match=r"'courier_pipes:Gone' of toolkit\.formats cannot be loaded: module"):
        format_of("gone")
