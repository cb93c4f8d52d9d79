"""However the files were edited, an incremental load ends where a clean one does, or fails where it does."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.content import Source
from toolkit.errors import Problems
from toolkit.trace import entered

from .conftest import SOURCES, Desk, Story, Tag, make_scope
from .test_export import said, two_newsrooms

NAMES = ["a", "b", "c"]
SECTIONS = st.fixed_dictionaries({name: st.sampled_from([None, "a", "b"]) for name in ("a", "b")}).flatmap(
    lambda known: st.sets(st.sampled_from(sorted(known)), min_size=1).map(
        lambda kept: ("sections", {name: known[name] for name in sorted(kept)})
    )
)
TAGS = st.tuples(
    st.just("tags"), st.sampled_from(["one", "two"]), st.sets(st.sampled_from(NAMES), min_size=1).map(sorted)
)
STORY = st.tuples(
    st.just("story"),
    st.sampled_from(NAMES),
    st.sampled_from([None, None, None, *NAMES]),
    st.sampled_from(["a", "b"]),
    st.lists(st.sampled_from(NAMES), max_size=2),
    st.sampled_from(["", "x", "y"]),
)
DELETE = st.tuples(st.just("delete"), st.sampled_from(NAMES))
MOVE = st.tuples(st.just("move"), st.sampled_from(NAMES), st.sampled_from(NAMES))
TITLED = ["a", "A", "b", "B ", "x"]
NAMING = st.tuples(st.just("note"), st.sampled_from(NAMES), st.lists(st.sampled_from(TITLED), max_size=3))
UNNAMING = st.tuples(st.just("unnote"), st.sampled_from(NAMES))
FILED = st.tuples(st.just("file"), st.sampled_from(["one", "two"]), st.sampled_from([None, *NAMES]))
NOTES = st.lists(st.lists(NAMING | UNNAMING | FILED, min_size=1, max_size=3), min_size=1, max_size=6)
EDITS = st.lists(st.lists(SECTIONS | TAGS | STORY | DELETE | MOVE, min_size=1, max_size=3), min_size=1, max_size=6)


def edit(desk: Desk, kind: str, *what: Any) -> None:
    """Do one edit to the files."""
    if kind == "sections":
        lines = [f"- {{slug: {name}, name: {name}, parent: {parent or 'null'}}}" for name, parent in what[0].items()]
        desk.write("content/sections.yaml", "\n".join(lines))
    elif kind == "tags":
        desk.write(f"tags/{what[0]}.csv", "slug,name\n" + "".join(f"{name},{name}\n" for name in what[1]))
    elif kind == "story":
        name, slug, section, tags, spanish = what
        named = f"slug: {slug}\n" if slug else ""
        desk.write(f"stories/{name}.md", f"---\n{named}title: T\nsection: {section}\ntags: {tags}\n---\n")
        place = desk.folder / f"stories/{name}.es.md"
        if spanish:
            desk.write(f"stories/{name}.es.md", f"---\nslug: {spanish}\n---\n")
        else:
            place.unlink(missing_ok=True)
    elif kind == "note":
        desk.write(f"notes/{what[0]}.md", f"---\ntitle: N\nsection: a\ntags: {what[1]}\n---\n")
    elif kind == "unnote":
        (desk.folder / f"notes/{what[0]}.md").unlink(missing_ok=True)
    elif kind == "file":
        place = desk.folder / f"filed/{what[0]}.md"
        place.unlink(missing_ok=True)
        if what[1]:
            desk.write(f"filed/{what[0]}.md", f"---\nslug: {what[1]}\nname: filed\n---\n")
    elif kind == "delete":
        for suffix in ("md", "es.md"):
            (desk.folder / f"stories/{what[0]}.{suffix}").unlink(missing_ok=True)
    elif (desk.folder / f"stories/{what[0]}.md").exists():
        (desk.folder / f"stories/{what[0]}.md").rename(desk.folder / f"stories/{what[1]}.md")


GIVEN = [SOURCES["sections"], Source("tags/*.csv", Tag), Source("stories/*.md", Story)]
MADE = [SOURCES["sections"], Source("filed/*.md", Tag, body="name"), Source("notes/*.md", Story, create=("tags",))]


def outcome(desk: Desk, sources: list[Source] = GIVEN) -> Any:
    """The rows after a load, or None if it failed."""
    desk.sources = sources
    with entered(desk.scope):
        try:
            desk.load()
        except Problems:
            return None
        rows = [said(desk, source, sources) for source in sources]
    for row in rows[2]:
        row.values.pop("saved")
    return rows


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(EDITS)
def test_an_incremental_load_ends_where_a_clean_one_does(edits: list[Any]) -> None:
    with two_newsrooms() as (desk, _):
        edit(desk, "sections", {"a": None, "b": "a"})
        edit(desk, "tags", "one", NAMES)
        for together in edits:
            for one in together:
                edit(desk, *one)
            clean = Desk(desk.folder, make_scope())
            assert outcome(desk) == outcome(clean)
            clean.scope.database.close()


@settings(max_examples=80, suppress_health_check=list(HealthCheck))
@given(NOTES)
def test_rows_that_files_only_name_end_as_in_a_clean_load(edits: list[Any]) -> None:
    """Some tags have a file of their own for a while, and are named by stories in several spellings all the while."""
    with two_newsrooms() as (desk, _):
        edit(desk, "sections", {"a": None})
        for together in edits:
            for one in together:
                edit(desk, *one)
            clean = Desk(desk.folder, make_scope())
            assert outcome(desk, MADE) == outcome(clean, MADE)
            clean.scope.database.close()
