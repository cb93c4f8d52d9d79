"""A corpus of real posts, repeated to any size, in files that Hugo and the toolkit both read.

``python -m tests.benchmarks.corpus SOURCE OUT --stories 10000`` writes::

    OUT/content/posts/<slug>.md              title, slug, published, summary, authors and tags; the body
    OUT/content/authors/<slug>/_index.md     the author's name, as Hugo wants it
    OUT/content/tags/<slug>/_index.md        the tag's name, as Hugo wants it
    OUT/authors.csv, OUT/tags.csv            the same names, as rows for the toolkit
    OUT/data/months.json                     the months that have stories, for the archive pages

The same source and number give the same bytes. Copies of a post share its authors, tags and day; their
slug, title and time of day differ.

The posts carry another generator's template tags (``{% image … %}``, ``{{ "/" | url }}``). They stay, as
text. Only ``{{%`` and ``{{<`` are pulled apart, since Hugo would take them for shortcodes.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, islice
from pathlib import Path

import yaml

FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
FILE_NAME = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})-(.+)\.md")
MARKUP = re.compile(r"<[^>]*>|\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
MARKDOWN_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
SUMMARY_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Post:
    """One story, ready to be written.

    Args:
        slug: Unique; ASCII lower case, digits and hyphens.
        title: Plain text.
        published: Aware, UTC.
        summary: Plain text, one line.
        authors: Slugs.
        tags: Slugs.
        body: Markdown with raw HTML.
    """

    slug: str
    title: str
    published: datetime
    summary: str
    authors: tuple[str, ...]
    tags: tuple[str, ...]
    body: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """Posts as their newsroom wrote them, with the names behind the slugs."""

    posts: tuple[Post, ...]
    authors: dict[str, str]
    tags: dict[str, str]


def slug_of(text: str) -> str:
    """``"Agile BPA"`` as ``"agile-bpa"``."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text.lower()).strip("-")


def plain(text: str) -> str:
    """Text without markup, template tags and line breaks, cut at a word."""
    words = " ".join(MARKDOWN_LINK.sub(r"\1", MARKUP.sub(" ", text)).split())
    if len(words) <= SUMMARY_CHARACTERS:
        return words
    return words[:SUMMARY_CHARACTERS].rsplit(" ", 1)[0] + "…"


def read_corpus(folder: Path) -> Corpus:
    """Read every post in a folder and those below it.

    Args:
        folder: Holds ``YYYY-MM-DD-name.md`` files; what is not named so, such as a README.md, is left alone.

    Raises:
        ValueError: There is no post, or one has no front matter, or front matter that is not YAML.
    """
    authors: dict[str, str] = {}
    tags: dict[str, str] = {}
    posts: list[Post] = []
    for path, match in find_posts(folder):
        year, month, day = (int(part) for part in match.groups()[:3])
        matter, body = read_front_matter(path)
        posts.append(
            Post(
                slug=slug_of(match[4]),
                title=plain(str(matter["title"])),
                published=time_of(date(year, month, day), number=len(posts)),
                summary=plain(str(matter.get("excerpt") or matter.get("description") or "")),
                authors=named(matter.get("authors"), authors, name_of=person_name),
                tags=named(matter.get("tags"), tags, name_of=tag_name),
                body=defuse_shortcodes(body),
            )
        )
    if not posts:
        raise ValueError(f"{folder}: no file in it is named YYYY-MM-DD-name.md")
    return Corpus(tuple(posts), authors, tags)


def find_posts(folder: Path) -> Iterator[tuple[Path, re.Match[str]]]:
    """The posts at or below a folder with the parts of their names, in the order of their paths."""
    for path in sorted(folder.rglob("*.md")):
        match = FILE_NAME.fullmatch(path.name)
        if match is not None:
            yield path, match


def read_front_matter(path: Path) -> tuple[dict[str, object], str]:
    """The YAML front matter of a file, and what follows it."""
    text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
    match = FRONT_MATTER.match(text)
    if match is None:
        raise ValueError(f"{path}: no front matter between two lines of '---'")
    try:
        # Some posts were saved with tabs at the ends of lines, which YAML refuses.
        matter = yaml.safe_load(re.sub(r"[ \t]+$", "", match[1], flags=re.MULTILINE))
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: {error}") from error
    return matter, text[match.end() :].strip() + "\n"


def time_of(day: date, *, number: int) -> datetime:
    """Six in the morning and some seconds: posts of one day keep the order of their file names."""
    return datetime.combine(day, time(6, 0, number % 60), tzinfo=UTC)


def named(values: object, names: dict[str, str], *, name_of: Callable[[str], str]) -> tuple[str, ...]:
    """Slugs for a list of names, each once; the first spelling met is noted in ``names``."""
    found: list[str] = []
    for value in values if isinstance(values, list) else ():
        slug = slug_of(str(value))
        names.setdefault(slug, name_of(str(value).strip()))
        if slug not in found:
            found.append(slug)
    return tuple(found)


def person_name(word: str) -> str:
    """``"laura-gerhardt"`` as ``"Laura Gerhardt"``: the posts name their authors by account."""
    return word.replace("-", " ").title() if word.islower() else word


def tag_name(words: str) -> str:
    """``"how we work"`` as ``"How we work"``."""
    return words[:1].upper() + words[1:]


def defuse_shortcodes(body: str) -> str:
    """Hugo would run ``{{%`` and ``{{<``, or stop at an unknown one."""
    return re.sub(r"\{\{(?=[%<])", "{ {", body)


def repeated(posts: Iterable[Post]) -> Iterator[Post]:
    """The posts, then copies of them with new slugs, titles and times, without end."""
    originals = tuple(posts)
    taken: dict[str, int] = {}
    for copy in count(1):
        for post in originals:
            slug = post.slug if copy == 1 else f"{post.slug}-{copy}"
            taken[slug] = taken.get(slug, 0) + 1
            if taken[slug] > 1:  # two originals with one name on two days
                slug = f"{slug}-{post.published:%Y%m%d}"
            # Minutes of the same day, so that months keep their proportions at every size.
            shift = timedelta(minutes=(copy - 1) * 7 % 1050)
            title = post.title if copy == 1 else f"{post.title} ({copy})"
            yield replace(post, slug=slug, title=title, published=post.published + shift)


def format_post(post: Post) -> str:
    """The Markdown file of a post. JSON's strings and lists are YAML's too."""
    matter = {
        "title": post.title,
        "slug": post.slug,
        "published": f"{post.published:%Y-%m-%dT%H:%M:%SZ}",
        "summary": post.summary,
        "authors": post.authors,
        "tags": post.tags,
    }
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in matter.items()]
    return "\n".join(["---", *lines, "---", "", post.body])


def write_corpus(corpus: Corpus, out: Path, *, stories: int) -> list[Path]:
    """Write so many stories, and the names and months that they use.

    Args:
        corpus: What to repeat.
        out: A folder; its ``content`` and ``data`` are replaced.
        stories: How many.

    Returns:
        The files of the stories, in the order of the corpus.
    """
    for name in ("content", "data"):
        shutil.rmtree(out / name, ignore_errors=True)
    folder = out / "content" / "posts"
    folder.mkdir(parents=True)
    posts = list(islice(repeated(corpus.posts), stories))
    paths = [folder / f"{post.slug}.md" for post in posts]
    for post, path in zip(posts, paths, strict=True):
        path.write_text(format_post(post), encoding="utf-8")
    write_names(out, "authors", names=used(corpus.authors, by=(post.authors for post in posts)))
    write_names(out, "tags", names=used(corpus.tags, by=(post.tags for post in posts)))
    write_months(out / "data" / "months.json", posts)
    return paths


def used(names: dict[str, str], *, by: Iterable[tuple[str, ...]]) -> dict[str, str]:
    """The names that some post uses, by slug."""
    return {slug: names[slug] for slug in sorted({slug for slugs in by for slug in slugs})}


def write_names(out: Path, kind: str, *, names: dict[str, str]) -> None:
    """Name authors or tags twice: as rows for the toolkit, as term pages for Hugo."""
    with (out / f"{kind}.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("slug", "name"), *names.items()])
    for slug, name in names.items():
        term = out / "content" / kind / slug / "_index.md"
        term.parent.mkdir(parents=True)
        # A feed for each tag, none for authors: Hugo has one setting for both, so it is said here.
        outputs = '["html", "rss"]' if kind == "tags" else '["html"]'
        term.write_text(f"---\ntitle: {json.dumps(name)}\noutputs: {outputs}\n---\n", encoding="utf-8")


def write_months(path: Path, posts: Iterable[Post]) -> None:
    """The months with stories, newest first."""
    months = sorted({(post.published.year, post.published.month) for post in posts}, reverse=True)
    rows = [{"year": year, "month": month} for year, month in months]
    path.parent.mkdir()
    path.write_text(json.dumps(rows, indent=0) + "\n", encoding="utf-8")


def edit_body(path: Path, *, note: str) -> None:
    """Add a paragraph to the end of a story, as an editor would."""
    path.write_text(path.read_text(encoding="utf-8") + f"\nCorrection: {note}.\n", encoding="utf-8")


def default_source() -> Path | None:
    """The folder that ``$TOOLKIT_CORPUS`` names, if it is set."""
    root = os.environ.get("TOOLKIT_CORPUS")
    return Path(root) if root else None


def main(arguments: list[str] | None = None) -> int:
    """Write a corpus from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", type=Path, nargs="?", help="folder with posts in it or below it ($TOOLKIT_CORPUS)")
    parser.add_argument("out", type=Path, help="folder to write to")
    parser.add_argument("--stories", type=int, default=10_000)
    options = parser.parse_args(arguments)
    source = options.source or default_source()
    if source is None:
        parser.error("no SOURCE given and TOOLKIT_CORPUS is not set")
    paths = write_corpus(read_corpus(source), options.out, stories=options.stories)
    print(f"{len(paths):,} stories written to {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
