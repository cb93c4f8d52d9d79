"""Finding files, with their stamps, and the places of values in JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.content.files import list_files
from toolkit.content.json_files import find_offset
from toolkit.content.markdown_files import date_of, name_of, parse_markdown
from toolkit.content.yaml_files import parse_yaml
from toolkit.errors import ContentError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a/x.md", "a/b/y.md", "a/b/c/z.md", "a/.hidden/h.md", "a/.h.md", "a/x.txt", "top.md", "a/Ä.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("top.md", ["top.md"]),
        ("a/*.md", ["a/x.md", "a/Ä.md"]),
        ("a/?.md", ["a/x.md", "a/Ä.md"]),
        ("a/[xy].md", ["a/x.md"]),
        ("a/*/*.md", ["a/b/y.md"]),
        ("**/*.md", ["a/b/c/z.md", "a/b/y.md", "a/x.md", "a/Ä.md", "top.md"]),
        ("a/**/c/*.md", ["a/b/c/z.md"]),
        ("nowhere/*.md", []),
        ("top.md/*.md", []),
    ],
)
def test_patterns(folder: Path, pattern: str, found: list[str]) -> None:
    assert list(list_files(folder, pattern).stamps) == found


def test_two_stars_do_not_follow_links_that_lead_back(folder: Path) -> None:
    (folder / "a/loop").symlink_to(folder / "a", target_is_directory=True)
    assert len(list_files(folder, "**/*.md").stamps) == 5


def test_a_linked_file_has_the_stamp_of_what_it_shows(folder: Path) -> None:
    (folder / "a/link.md").symlink_to(folder / "top.md")
    stamps = list_files(folder, "a/*.md").stamps
    assert stamps["a/link.md"].inode == (folder / "top.md").stat().st_ino


VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


def test_a_link_to_nothing_is_named(folder: Path) -> None:
    (folder / "a/gone.md").symlink_to("nowhere.md")
    told = "^a/gone.md: it is a link to nowhere.md, which is not there. Mend the link, or remove it.$"
    with pytest.raises(ContentError, match=told):
        list_files(folder, "a/*.md")


def test_a_link_to_itself_and_a_name_that_is_no_text_are_named(folder: Path) -> None:
    (folder / "a/round.md").symlink_to("round.md")
    with pytest.raises(ContentError, match=r"^a/round.md: it cannot be read: .*symbolic links"):
        list_files(folder, "a/*.md")
    (folder / "a/round.md").unlink()
    (folder / "a" / os.fsdecode(b"caf\xe9.md")).write_text("")
    with pytest.raises(ContentError, match=r"^a/caf\ufffd\.md: the name of the file is not UTF-8. Rename it"):
        list_files(folder, "a/*.md")


@given(VALUES, st.data(), st.sampled_from([None, 1]))
def test_the_offset_of_a_path_is_where_its_value_begins(value: object, data: st.DataObject, indent: int | None) -> None:
    text, path, at = json.dumps(value, indent=indent), [], value
    while isinstance(at, dict | list) and at:
        step = data.draw(st.sampled_from(list(at) if isinstance(at, dict) else list(range(len(at)))))
        path.append(step)
        at = at[step]
    assert json.JSONDecoder().raw_decode(text, find_offset(text, tuple(path)))[0] == at


@pytest.mark.parametrize(
    ("path", "name", "date"),
    [
        ("a/storm.md", "storm", None),
        ("a/2014-3-1-storm.md", "storm", "2014-03-01"),
        ("a/2014-03-01.md", "2014-03-01", None),
        ("a/storm/index.md", "storm", None),
        ("a/2014-12-31-storm/index.md", "storm", "2014-12-31"),
        ("index.md", "index", None),
    ],
)
def test_what_a_files_name_says(path: str, name: str, date: str | None) -> None:
    assert (name_of(path), date_of(path)) == (name, date)


def test_a_mapping_may_override_what_it_merges() -> None:
    document = parse_yaml("- &base {a: 1, b: 2}\n- {<<: *base, b: 3}\n", path="x.yaml")
    assert document.rows[1] == {"a": 1, "b": 3}


def test_tabs_at_the_ends_of_lines_are_forgiven() -> None:
    document = parse_markdown('---\ntitle: "S"\t\n---\nText\t\n', path="x.md", body="body")
    assert document.rows == [{"title": "S", "body": "Text\t"}]


def test_yaml_that_is_neither_list_nor_mapping_is_refused() -> None:
    with pytest.raises(ContentError, match=r"x.yaml:1:1: a list of mappings is expected, not 'text'. Begin each row"):
        parse_yaml("text", path="x.yaml")
    with pytest.raises(ContentError, match=r"x.yaml:2:3: a mapping is expected, not 3"):
        parse_yaml("- {a: 1}\n- 3\n", path="x.yaml")


@pytest.mark.skipif("TOOLKIT_CORPUS" not in os.environ, reason="TOOLKIT_CORPUS names no corpus")
def test_posts_that_nobody_tidied_are_read() -> None:
    paths = sorted(Path(os.environ["TOOLKIT_CORPUS"]).rglob("*.md"))
    posts = [path for path in paths if path.read_bytes().startswith(b"---")]
    for path in posts:
        document = parse_markdown(path.read_text(encoding="utf-8"), path=str(path), body="body")
        assert document.rows[0]["title"]
    assert len(posts) >= 500
