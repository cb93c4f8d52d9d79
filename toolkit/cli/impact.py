"""``toolkit impact``: the pages that read a row, a template, a message or a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote

import click

from toolkit.builder.manifest import Manifest, decode_key
from toolkit.cli.invocation import invocation, json_option, site_options
from toolkit.cli.manifests import open_manifest
from toolkit.cli.sites import open_site
from toolkit.errors import NotFound, ToolkitError, did_you_mean
from toolkit.models.options import located
from toolkit.models.sqltext import quoted

WORDS = {
    "template": 0,
    "asset": 0,
    "file": 0,
    "folder": 0,
    "setting": 0,
    "environment": 0,
    "stored": 1,
    "image": 2,
    "message": 3,
}
"""Kinds of input that are named by a word, to its place in the input's key."""

SHOWN = 50


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
    toolkit impact template:base.html       a template
    toolkit impact message:"Read more"      a message of the catalogs
    toolkit impact asset:css/site.css       an asset; also file:, stored:, folder:, setting:, environment:
    """
    asked = invocation()
    site = open_site()
    with open_manifest(site, output) as manifest:
        read, listed = _find(site, manifest, thing)
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


def _find(site: Any, manifest: Manifest, thing: str) -> tuple[list[str], list[str]]:
    """URLs of pages that read a thing; and of others that ask queries about its table."""
    kind, separator, name = thing.partition(":")
    if not separator or not name:
        raise click.BadParameter(f"{thing!r} is not KIND:NAME, such as template:base.html", param_hint="KIND:NAME")
    if kind in WORDS:
        place = WORDS[kind]
        return _word(manifest, kind, name, place), []
    model = next((model for model in site.models if model._meta.model_name == kind.lower()), None)
    if model is None:
        models = [model._meta.model_name for model in site.models if not model._meta.hidden]
        raise NotFound(f"there is no kind of thing {kind!r}", hint=did_you_mean(kind, [*models, *WORDS]))
    return _row(site, manifest, model, name)


def _word(manifest: Manifest, kind: str, name: str, place: int) -> list[str]:
    known = {number: str(decode_key(key)[place]) for number, key in manifest.numbers_of(kind).items()}
    found = manifest.urls_reading([number for number, one in known.items() if one == name])
    names = set(known.values())
    if not found and name not in names:
        raise NotFound(f"no page reads the {kind} {name!r}", hint=did_you_mean(name, names) or None)
    return found


def _row(site: Any, manifest: Manifest, model: Any, name: str) -> tuple[list[str], list[str]]:
    pk = _primary_key(site, model, name)
    table = located(model._meta.table, model._meta.database)
    shapes = [
        shape
        for shape, record in manifest.shapes().items()
        if any(footprint == table for footprint, _ in record.get("footprint", ()))
    ]
    rows = {number: decode_key(key) for number, key in manifest.numbers_of("row", end=pk).items()}
    read = manifest.urls_reading([number for number, key in rows.items() if key[0] == table and key[2] == pk])
    queried = manifest.urls_reading(manifest.numbers_of("query", shapes=shapes)) if shapes else []
    return read, [url for url in queried if url not in set(read)]


def _primary_key(site: Any, model: Any, name: str) -> Any:
    """The key of the row that somebody named by slug or key."""
    meta = model._meta
    with site:
        rows = model.objects.all()
        if "slug" in meta.by_name:
            known = _key_of_slug(site, model, name)
            if known is not None:
                return known
        try:
            found = rows.filter(pk=name).first()
        except ToolkitError:
            found = None
        if found is not None:
            return found.pk
        slugs = list(rows.values_list("slug", flat=True)) if "slug" in meta.by_name else []
    raise NotFound(f"there is no {meta.verbose_name} {name!r}", hint=did_you_mean(name, slugs) or None)


def _key_of_slug(site: Any, model: Any, slug: str) -> Any:
    """The key of the row with a slug. On SQLite by SQL of our own: what compiles queries takes a while to load."""
    meta, database = model._meta, site.find_database(model._meta.database)
    if database.dialect != "sqlite" or meta.by_name["slug"].model is not model or not hasattr(meta.pk, "column"):
        row = model.objects.filter(slug=slug).first()
        return None if row is None else row.pk
    names = (meta.pk.column, meta.table, meta.by_name["slug"].column)
    key, table, column = (quoted(database.dialect, name) for name in names)
    sql = f"SELECT {key} FROM {table} WHERE {column} = ?"  # noqa: S608 - names of the schema
    rows = database.fetch(sql, (slug,))
    return meta.pk.to_python(rows[0][0]) if rows else None
