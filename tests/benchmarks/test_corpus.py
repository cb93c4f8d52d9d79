"""The repeated corpus is the same each time, and nothing in it collides."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
import yaml

from . import corpus
from .contenders import kind_of, paths_of


def write_posts(folder: Path, **bodies: str) -> None:
    """One file for each keyword, named by day; authors and tags are those of an untidy newsroom."""
    matter = "---\ntitle: 'A title'\nauthors:\n - laura-gerhardt\t\ntags: [18F, 18f, how we work]\n---\n"
    for day, body in bodies.items():
        (folder / f"2014-03-{day.removeprefix('day')}-story.md").write_text(matter + body, encoding="utf-8")


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_posts_of_one_name_get_slugs_of_their_own(tmp_path: Path) -> None:
    write_posts(tmp_path, day12="One", day13="Two")
    posts = list(islice(corpus.repeated(corpus.read_corpus(tmp_path).posts), 7))
    assert len({post.slug for post in posts}) == 7
    assert [post.slug for post in posts[:3]] == ["story", "story-20140313", "story-2"]


def test_copies_share_tags_and_month_but_no_instant(tmp_path: Path) -> None:
    write_posts(tmp_path, day12="One", day13="Two")
    posts = list(islice(corpus.repeated(corpus.read_corpus(tmp_path).posts), 200))
    assert {post.tags for post in posts} == {("18f", "how-we-work")}
    assert {(post.published.year, post.published.month) for post in posts} == {(2014, 3)}
    assert len({post.published for post in posts}) == 200


def test_the_same_corpus_is_written_twice_alike(tmp_path: Path) -> None:
    (tmp_path / "posts").mkdir()
    write_posts(tmp_path / "posts", day12="One", day13="Two")
    for out in ("first", "second"):
        corpus.main([str(tmp_path / "posts"), str(tmp_path / out), "--stories", "9"])
    assert tree(tmp_path / "first") == tree(tmp_path / "second")
    assert len(list((tmp_path / "first" / "content" / "posts").iterdir())) == 9


def test_front_matter_is_yaml_with_only_known_keys(tmp_path: Path) -> None:
    write_posts(tmp_path, day12='The "{{ "/" | url }}" and {{% x %}} and {{< y >}}')
    text = corpus.format_post(corpus.read_corpus(tmp_path).posts[0])
    _, matter, body = text.split("---\n", 2)
    assert list(yaml.safe_load(matter)) == ["title", "slug", "published", "summary", "authors", "tags"]
    assert "{{%" not in body and "{{<" not in body
    assert '{{ "/" | url }}' in body


def test_names_are_those_first_spelt(tmp_path: Path) -> None:
    write_posts(tmp_path, day12="One")
    read = corpus.read_corpus(tmp_path)
    assert read.authors == {"laura-gerhardt": "Laura Gerhardt"}
    assert read.tags == {"18f": "18F", "how-we-work": "How we work"}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("2014-03-12-x.md", "no front matter", "no front matter between"),
        ("2014-03-12-x.md", "---\ntitle: [\n---\n", "expected the node content"),
    ],
)
def test_a_post_that_cannot_be_read_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        corpus.read_corpus(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no file in it is named YYYY-MM-DD-name"):
        corpus.read_corpus(tmp_path)


def test_posts_are_found_below_a_folder_and_other_files_left_alone(tmp_path: Path) -> None:
    (tmp_path / "blog" / "posts").mkdir(parents=True)
    (tmp_path / "README.md").write_text("No post.\n", encoding="utf-8")
    write_posts(tmp_path / "blog" / "posts", day12="One")
    assert [post.slug for post in corpus.read_corpus(tmp_path).posts] == ["story"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("index.html", "home"),
        ("posts/a/index.html", "story"),
        ("tags/a/page/2/index.html", "tag"),
        ("tags/index.html", "overview"),
        ("archive/2014/03/index.html", "month"),
        ("tags/a/feed.xml", "feed"),
        ("sitemap-1.xml", "sitemap"),
        ("static/site.0123.css", "asset"),
        ("CNAME", "other"),
    ],
)
def test_pages_are_counted_by_kind(path: str, kind: str) -> None:
    assert kind_of(path) == kind


def test_an_asset_is_the_same_file_whatever_digest_is_in_its_name(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    for name in ("static/site.0dba7f82e131.css", "index.html", "feed.deadbeef.xml"):
        (tmp_path / name).write_text("")
    assert paths_of(tmp_path) == {"static/site.css", "index.html", "feed.deadbeef.xml"}
