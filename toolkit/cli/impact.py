"""``toolkit impact``: the pages that read a row, a template, a message or a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import click

from toolkit.builder.names import ModelName
from toolkit.builder.reader import ManifestReader
from toolkit.builder.records import decode_key, encode_key
from toolkit.cli.invocation import invocation, json_option, site_options
from toolkit.cli.last_build import LastBuild, last_build
from toolkit.cli.sites import open_site
from toolkit.database import Database, spelling
from toolkit.errors import NotFound, ToolkitError, did_you_mean
from toolkit.settings import load_settings
from toolkit.text.parts import join_parts, split_parts

WORDS = {
    "template": 0,
    "asset": 0,
    "file": 0,
    "folder": 0,
    "link": 0,
    "setting": 0,
    "environment": 0,
    "stored": 1,
    "image": 2,
    "message": 3,
}
"""Kinds of input that are named by a word, to its place in the input's key."""

SHOWN = 50
LOOKED_THROUGH = 5000
"""As many rows are looked through for what may have been meant."""


@click.command()
@click.argument("thing", metavar="KIND:NAME")
@click.option("--output", "-o", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="Of this build.")
@click.option("--all", "everything", is_flag=True, help="List every page.")
@json_option
@site_options
def impact(thing: str, output: Path | None, everything: bool) -> None:
    """Name the pages that read a row, a template, a message or a file.

    The answer comes from the last build.

    \b
    toolkit impact story:flood              a row, by slug or primary key
    toolkit impact "invoice:acme|7"         a row, by a key of several fields
    toolkit impact template:base.html       a template
    toolkit impact message:"Read more"      a message of the catalogs
    toolkit impact asset:css/site.css       an asset; also file:, stored:, folder:, link:, setting:, environment:
    """
    asked = invocation()
    with last_build(output) as build:
        read, listed = _find(build, thing)
    if asked.as_json:
        asked.output.data({"thing": thing, "read_by": read, "queried_by": listed})
        return
    asked.output.say(f"{len(read)} pages read {thing}", style="green")
    for url in read if everything else read[:SHOWN]:
        asked.output.say(f"  {unquote(url)}")
    if len(read) > SHOWN and not everything:
        asked.output.say(f"  ... and {len(read) - SHOWN} more; see them with --all")
    if listed:
        asked.output.say(f"{len(listed)} more pages ask for rows of its table, and change if their answer does")


def _find(build: LastBuild, thing: str) -> tuple[list[str], list[str]]:
    """URLs of pages that read a thing; and of others that ask queries about its table."""
    kind, separator, name = thing.partition(":")
    if not separator or not name:
        raise click.BadParameter(f"{thing!r} is not KIND:NAME, such as template:base.html", param_hint="KIND:NAME")
    if kind == "asset":
        return _asset(build.manifest, name), []
    if kind in WORDS:
        return _word(build, kind, name, WORDS[kind]), []
    model = next((model for model in build.names.models if model.word == kind.lower()), None)
    if model is None:
        models = [model.word for model in build.names.models if not model.hidden]
        raise NotFound(f"there is no kind of thing {kind!r}", hint=did_you_mean(kind, [*models, *WORDS]))
    pk = _plain_key(build, model, name)
    return _row(build.manifest, model, _primary_key(open_site(), model, name) if pk is None else pk)


def _asset(manifest: ManifestReader, name: str) -> list[str]:
    """Pages that read an asset, or another that refers to it: an image by a style sheet, a module by another."""
    known, references = _known(manifest, "asset", 0), manifest.references()
    numbers = [number for number, one in known.items() if one == name or name in references.get(one, ())]
    if not numbers:
        hint = did_you_mean(name, {*known.values(), *open_site().assets.iter_paths()}) or None
        raise NotFound(f"no page reads the asset {name!r}", hint=hint)
    return manifest.urls_reading(numbers)


def _known(manifest: ManifestReader, kind: str, place: int) -> dict[int, str]:
    """Number of each input of a kind to its name."""
    return {number: str(decode_key(key)[place]) for number, key in manifest.numbers_of(kind).items()}


def _word(build: LastBuild, kind: str, name: str, place: int) -> list[str]:
    known = _known(build.manifest, kind, place)
    numbers = {number for number, one in known.items() if one == name}
    found = build.manifest.urls_reading(numbers | build.manifest.subjects_from(numbers))
    names = set(known.values())
    if not found and name not in names:
        hint = did_you_mean(name, names) or None
        if kind == "file" and (build.folder / name).is_file():
            hint = "If rows are loaded from it, ask for a row: story:flood."
        raise NotFound(f"no page reads the {kind} {name!r}", hint=hint)
    return found


def _row(manifest: ManifestReader, model: ModelName, pk: Any) -> tuple[list[str], list[str]]:
    shapes = [
        shape
        for shape, record in manifest.shapes().items()
        if any(footprint == model.table for footprint, _ in record.get("footprint", ()))
    ]
    rows = {number: decode_key(key) for number, key in manifest.numbers_of("row", end=pk).items()}
    own = {number for number, key in rows.items() if key[0] == model.table and key[2] == pk}
    asking = manifest.numbers_asking(shapes)
    read = manifest.urls_reading(own)
    queried = manifest.urls_reading(asking | manifest.subjects_from(asking | own))
    known = set(read)
    return read, [url for url in queried if url not in known]


def _plain_key(build: LastBuild, model: ModelName, name: str) -> Any:
    """The key of the row that somebody named by slug or key, where a look into a SQLite file tells it; else None."""
    url = load_settings(build.folder).peek("database")
    if not model.key or not url.startswith("sqlite:"):
        return None
    database = Database(url, folder=build.folder)
    key, table, slug = (spelling("sqlite").quoted(name) for name in (model.key, model.table, model.slug or model.key))
    wanted: list[tuple[str, Any]] = [(slug, name)] if model.slug else []
    if not model.numbered:
        wanted.append((key, name))
    elif name.isascii() and name.isdigit():
        wanted.append((key, int(name)))
    for column, value in wanted:
        rows = database.fetch(f"SELECT {key} FROM {table} WHERE {column} = ?", (value,))  # noqa: S608 - names of the schema
        if rows:
            return rows[0][0]
    return None


def _primary_key(site: Any, named: ModelName, name: str) -> Any:
    """The key of the row that somebody named by slug or key, asked of the site, as traces have it."""
    model = next(model for model in site.models if model.__name__ == named.name)
    meta = model._meta
    with site:
        rows = model.objects.all()
        for said in _conditions(meta, name):
            with suppress(ToolkitError):
                found = rows.filter(**said).first()
                if found is not None:
                    return decode_key(encode_key((meta.key_in(found._row, None),)))[0]
        known = [join_parts(map(str, each)) for each in rows.values_list(*_spoken(meta))[:LOOKED_THROUGH]]
    raise NotFound(f"there is no {meta.verbose_name} {name!r}", hint=did_you_mean(name, known) or None)


def _spoken(meta: Any) -> list[str]:
    """The lookups by which people name a row."""
    if "slug" in meta.by_name:
        return ["slug"]
    return [f"{part.name}__slug" if _is_slugged(part) else part.name for part in meta.key]


def _conditions(meta: Any, name: str) -> Iterator[dict[str, Any]]:
    """What a name may say: the slug; the values of the key; the same, with the slugs of the rows that it refers to."""
    if "slug" in meta.by_name:
        yield {"slug": name}
    parts = split_parts(name) if len(meta.key) > 1 else [name]
    if len(parts) == len(meta.key):
        yield {"pk": tuple(parts) if len(parts) > 1 else name}
        yield dict(zip((f"{one.name}__slug" if _is_slugged(one) else one.name for one in meta.key), parts, strict=True))


def _is_slugged(field: Any) -> bool:
    """Whether a part of a key refers to rows with a slug."""
    return field.is_relation and not field.parent_link and "slug" in field.target._meta.by_name
