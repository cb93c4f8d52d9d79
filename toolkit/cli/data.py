"""``toolkit data``: rows from files."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from toolkit.cli.contents import load_content
from toolkit.cli.invocation import Invocation, invocation, json_option, site_options
from toolkit.cli.rows import (
    chosen_models,
    databases_left_out,
    entered_home,
    entered_site,
    parse_map,
    without_views,
    writing_to,
)
from toolkit.cli.sites import open_site
from toolkit.content.export import export_model
from toolkit.database import DEFAULT, Database
from toolkit.errors import ContentError, Problems, ToolkitError, ValidationError
from toolkit.models.inspecting import inspect_models
from toolkit.serialization import Loaded, export_rows, format_of, import_rows, kind_of_table, read_table
from toolkit.serialization import dump as write_dump
from toolkit.serialization import load as load_dump
from toolkit.serialization.formats import kind_of, opened

STDIN = Path("-")

database_option = click.option(
    "--database",
    "alias",
    metavar="ALIAS",
    default=DEFAULT,
    help="The rows of this database of the setting 'databases'.  [default: the main one]",
)


@click.group()
def data() -> None:
    """Rows in and out: content files, dumps, tables."""


@data.command()
@click.argument(
    "files",
    nargs=-1,
    metavar="[FILE]...",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
)
@click.option(
    "--verbose", "-v", is_flag=True, help="Name each row of a content file that was added, changed or removed."
)
@click.option("--format", "kind", metavar="NAME", help="The format of the files.  [default: by their endings]")
@click.option("--ignore-unknown", is_flag=True, help="Pass over models and fields that the site does not have.")
@click.option("--only-new", is_flag=True, help="Leave rows alone that are there.")
@database_option
@json_option
@site_options
def load(
    files: tuple[Path, ...], verbose: bool, kind: str | None, ignore_unknown: bool, only_new: bool, alias: str
) -> None:
    """Make the rows of the content sources be what their files say; or load dumps: all rows, or none.

    Without a FILE the content sources are loaded, as 'toolkit build' and 'toolkit serve' do by themselves. A FILE is
    what 'toolkit data dump' wrote, and - is stdin; loading it again changes nothing. If anything is wrong, nothing is
    loaded.
    """
    asked = invocation()
    if STDIN in files and kind is None:
        raise click.UsageError("What comes from stdin has no ending: say its --format.")
    if files:
        _load_dumps(asked, files, kind, alias, ignore_unknown=ignore_unknown, only_new=only_new)
        return
    if kind is not None or ignore_unknown or only_new or alias != DEFAULT:
        raise click.UsageError("--format, --ignore-unknown, --only-new and --database are of dumps: name a FILE.")
    report = load_content(open_site())
    if asked.as_json:
        asked.output.data(
            {
                "added": report.added,
                "changed": report.changed,
                "removed": report.removed,
                "unchanged": report.unchanged,
                "events": [{"kind": kind, "row": name} for kind, name in report.events],
                "notes": list(report.notes),
            }
        )
        return
    for verb, name in report.events if verbose else ():
        asked.output.say(f"{verb} {name}")
    for source in report:
        asked.output.say(str(source))
    for note in report.notes:
        asked.output.note(f"note: {note}", style="yellow")


@data.command()
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
@click.option(
    "--database",
    "where",
    metavar="NAME|URL",
    default=DEFAULT,
    help="One of the setting 'databases', or any other.  [default: the site's]",
)
@click.option("--views", is_flag=True, help="Write models for views, too.")
@site_options
def inspect(tables: tuple[str, ...], where: str, views: bool) -> None:
    """Print a module of models for the tables of a database that others made.

    Send it to a file of an app, 'toolkit data inspect > archive/models.py', and read it: names are the database's,
    references do nothing when a row is deleted, and a comment stands where a column has no exact counterpart. The
    models are not managed: migrations and builds leave their tables as they are.
    """
    site = open_site()
    if "://" in where:
        database = Database(where, folder=site.folder, read_only=True)
    else:
        database = site.databases.named(where)
    alias = "" if database.alias == DEFAULT else database.alias
    click.echo(inspect_models(database, tables, views=views, alias=alias), nl=False)


def _load_dumps(asked: Invocation, files: tuple[Path, ...], kind: str | None, alias: str, **options: bool) -> None:
    done, problems, unsure = Loaded(), list[ToolkitError](), set[Any]()
    with entered_site(alias) as scope, scope.database.atomic():
        for path in files:
            try:
                given = path == STDIN
                with nullcontext(sys.stdin.buffer) if given else opened(path, "r") as source:
                    named = "stdin" if given else path
                    done += load_dump(scope, format_of(kind, path), source, path=named, unsure=unsure, **options)
            except Problems as found:
                problems += found.problems
        if problems:
            raise Problems(problems)
    _tell(asked, done)


def _tell(asked: Invocation, done: Any, **more: Any) -> None:
    """What became of the rows."""
    if asked.as_json:
        asked.output.data({**asdict(done), **more})
    else:
        counts = {name: count for name, count in asdict(done).items() if name != "notes"}
        asked.output.say(", ".join(f"{count} {name}" for name, count in counts.items() if count) or "no rows")
    for note in () if asked.as_json else getattr(done, "notes", ()):
        asked.output.note(f"note: {note}", style="yellow")


@data.command()
@click.option("--app", "apps", multiple=True, metavar="LABEL", help="Only this app's models; may be repeated.")
@click.option(
    "--model", "models", multiple=True, metavar="MODEL", help="Only this model (newsroom.Tag); may be repeated."
)
@click.option("--exclude", multiple=True, metavar="NAME", help="Not this app or model; may be repeated.")
@click.option("--pks", metavar="KEYS", help="Only the rows with these keys, commas between; of one model.")
@click.option("--natural", is_flag=True, help="Tell rows by their natural keys, where the model has one.")
@click.option("--fields", metavar="NAMES", help="Only these fields, commas between; of one model.")
@click.option("--format", "kind", metavar="NAME", help="json, jsonl, yaml, xml or csv.  [default: by FILE, or json]")
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to; .gz, .bz2 and .xz are compressed.  [default: stdout]",
)
@database_option
@json_option
@site_options
def dump(
    apps: tuple[str, ...], models: tuple[str, ...], exclude: tuple[str, ...], pks: str | None, natural: bool,
    fields: str | None, kind: str | None, output: Path | None, alias: str,
) -> None:  # fmt: skip
    """Write the rows of the database as text, all as of one instant, for 'toolkit data load'.

    The same rows give the same bytes: rows that others refer to come first, then by key. A file is written beside its
    place and renamed.
    """
    asked = invocation()
    form = format_of(kind or (None if output else "json"), output)
    with entered_site(alias) as scope:
        named = chosen_models(scope.database.schema, apps, models, exclude)
        chosen = named if models else without_views(scope.database, named)
        if (pks is not None or fields is not None) and len(chosen) != 1:
            raise ContentError("--pks and --fields are of one model", hint="Name it: --model newsroom.Story.")
        keys = None if pks is None else _parse_keys(chosen[0]._meta, pks)
        names = None if fields is None else [name.strip() for name in fields.split(",")]
        with writing_to(output) as out:
            count = write_dump(scope, form, out, models=chosen, natural=natural, fields=names, pks=keys)
        others = [] if apps or models or alias != DEFAULT else databases_left_out(scope)
    _told_written(asked, output, count)
    for view in [model._meta.label for model in named if model not in chosen]:
        asked.output.note(f"note: {view} is a view, and has no rows of its own: --model {view}", style="yellow")
    for other in others:
        asked.output.note(f"note: the rows of {other!r} are not among them: --database {other}", style="yellow")


def _parse_keys(meta: Any, text: str) -> list[Any]:
    """The keys of rows, from texts with commas between.

    Raises:
        ContentError: One can be none.
    """
    if len(meta.key) > 1:
        raise ContentError(f"--pks: the key of {meta.label} is several fields", hint="Dump all of its rows.")
    try:
        return [meta.pk.from_string(each.strip()) for each in text.split(",")]
    except ValidationError as error:
        raise ContentError(f"--pks: {error.message}", hint=error.hint) from error


def _told_written(asked: Invocation, output: Path | None, count: int) -> None:
    if asked.as_json and output is not None:
        asked.output.data({"rows": count, "output": str(output)})
    elif output is not None:
        asked.output.say(f"{count} {'row' if count == 1 else 'rows'} to {output}")


@data.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--model", "name", required=True, metavar="MODEL", help="Whose rows: newsroom.Tag.")
@click.option(
    "--map", "maps", multiple=True, metavar="COLUMN=FIELD", help="A column of another name; 'COLUMN=' is passed over."
)
@click.option(
    "--key", metavar="FIELDS", help="What tells a row that is there.  [default: natural key, unique slug, or key]"
)
@click.option("--format", "kind", type=click.Choice(["csv", "json", "jsonl"]), help="[default: by the file's ending]")
@click.option("--encoding", metavar="NAME", help="Of a CSV file.  [default: utf-8, or utf-16 if it begins so]")
@click.option(
    "--raw", is_flag=True, help="In CSV, leave an apostrophe where it is that an export puts before formulas."
)
@click.option("--dry-run", is_flag=True, help="Check everything, and write nothing.")
@json_option
@site_options
def import_(
    file: Path, name: str, maps: tuple[str, ...], key: str | None, kind: str | None, encoding: str | None, raw: bool,
    dry_run: bool,
) -> None:  # fmt: skip
    """Make the rows of a table (CSV, JSON, JSON Lines) be rows of a model: all, or none.

    Each row is checked as full_clean() checks it. A relation is named by what tells its rows: a natural key of one
    field, a unique slug, or else the key; several with commas between. Importing again changes nothing.
    """
    asked = invocation()
    kind = kind or kind_of_table(file)
    with entered_home(name) as (scope, model), opened(file, "r") as source:
        rows = read_table(source, kind, encoding=encoding, raw=raw)
        done = import_rows(
            scope, model, rows, path=file, columns=parse_map(maps), key=key, textual=kind == "csv", dry_run=dry_run
        )
    _tell(asked, done, dry_run=dry_run)
    if dry_run:
        asked.output.note("nothing was written: --dry-run")


@data.command()
@click.option("--model", "name", metavar="MODEL", help="Whose rows: newsroom.Tag.")
@click.option("--fields", metavar="NAMES", help="These fields, commas between.  [default: all]")
@click.option("--format", "kind", type=click.Choice(["csv", "json", "jsonl"]), help="[default: by FILE, or csv]")
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="[default: stdout]"
)
@click.option(
    "--raw", is_flag=True, help="In CSV, no apostrophe before text that a spreadsheet would take for a formula."
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the text files of all content sources there, instead; into the site's own folder, they give the rows "
    "from then on.",
)
@json_option
@site_options
def export(
    name: str | None, fields: str | None, kind: str | None, output: Path | None, raw: bool, folder: Path | None
) -> None:
    """Write rows for others: a model's as a table, or those of all content sources as text files.

    In CSV, text that begins with = + - @ or a tab gets an apostrophe before it, for a spreadsheet would run it as a
    formula.
    """
    asked = invocation()
    if (name is None) == (folder is None):
        raise ContentError("nothing says what to export", hint="Give either --model newsroom.Tag, or --folder DIR.")
    if folder is not None:
        _export_folder(asked, folder)
        return
    kind = kind or (kind_of(output) if output else "csv")
    names = None if fields is None else [each.strip() for each in fields.split(",")]
    with entered_home(name or "") as (scope, model), writing_to(output) as out:
        count = export_rows(scope, model, out, kind=kind, fields=names, raw=raw)
    _told_written(asked, output, count)


def _export_folder(asked: Invocation, folder: Path) -> None:
    """Write the files; those in the site's own folder are what gives the rows from then on, after they are loaded."""
    with entered_site() as scope:
        is_own = folder.resolve() == scope.site.folder.resolve()
        if is_own:
            load_content(scope.site)
        sources = [source for app in scope.site.apps for source in app.sources]
        files = [path for each in sources for path in export_model(scope, each, folder, sources=sources, adopt=is_own)]
    if asked.as_json:
        asked.output.data({"files": files, "folder": str(folder)})
    else:
        asked.output.say(f"{len(files)} {'file' if len(files) == 1 else 'files'} in {folder}")
