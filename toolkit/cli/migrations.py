"""``toolkit migrations``: make the tables follow the models, and say whether they do."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import click

from toolkit import migrations as engine
from toolkit.cli.histories import merge, optimize, rebase, squash, tell_made
from toolkit.cli.invocation import invocation, is_interactive, json_option, site_options
from toolkit.cli.sites import open_site
from toolkit.database import DEFAULT
from toolkit.errors import MigrationError, Problems, ToolkitError, did_you_mean
from toolkit.migrations.renames import never


@click.group()
def migrations() -> None:
    """Make the tables follow the models, and say whether they do.

    An app has migrations once it has a folder 'migrations'; naming the app to 'make' begins one. The tables of other
    apps are made straight from their models, and changed by nobody.
    """


migrations.add_command(squash)
migrations.add_command(optimize)
migrations.add_command(rebase)
migrations.add_command(merge)


database_option = click.option(
    "--database", "alias", metavar="ALIAS", help="Only this database of the setting 'databases'."
)


@dataclass
class Answers:
    """What ``make`` is told beforehand, by options and by a file."""

    renames: dict[str, str] = field(default_factory=dict)
    fills: dict[str, Any] = field(default_factory=dict)

    def read(self, path: Path) -> None:
        """Take the tables ``renames`` and ``fills`` of a TOML file."""
        try:
            found = tomllib.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise MigrationError(f"the answers cannot be read: {error}", path=path, hint="Is it TOML?") from error
        for name in found:
            if name not in ("renames", "fills"):
                hint = did_you_mean(name, ["renames", "fills"]) or "It may have the tables renames and fills."
                raise MigrationError(f"unknown table {name!r}", path=path, hint=hint)
        self.renames |= found.get("renames", {})
        self.fills |= found.get("fills", {})


@migrations.command()
@click.argument("apps", nargs=-1, metavar="[APP]...")
@click.option("--name", help="A name instead of one that tells what is done.")
@click.option(
    "--fill", "fills", multiple=True, metavar="FIELD=VALUE", help="What existing rows get: app.Model.field=0."
)
@click.option(
    "--rename",
    "renames",
    multiple=True,
    metavar="OLD=NEW",
    help="What was renamed: app.Model.field=new.",
)
@click.option(
    "--answers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A TOML file with the tables renames and fills.",
)
@click.option("--empty", is_flag=True, help="Write one without operations for each APP, for steps of your own.")
@click.option("--update", is_flag=True, help="Put the changes into the last migration.")
@click.option("--merge", "merged", is_flag=True, help="Follow both sides of migrations made side by side.")
@click.option("--check", "checked", is_flag=True, help="Write nothing; exit with 1 if there is anything to write.")
@click.option("--dry-run", is_flag=True, help="Print the files and write nothing.")
@click.option("--yes", is_flag=True, help="Answer every question of a rename with yes.")
@click.option("--no-input", is_flag=True, help="Ask nothing: a field that may have been renamed is a new one.")
@json_option
@site_options
def make(
    apps: tuple[str, ...],
    name: str | None,
    fills: tuple[str, ...],
    renames: tuple[str, ...],
    answers: Path | None,
    *,
    empty: bool,
    update: bool,
    merged: bool,
    checked: bool,
    dry_run: bool,
    yes: bool,
    no_input: bool,
) -> None:
    """Write migrations for what changed in the models."""
    write = not (dry_run or checked)
    site = open_site()
    if merged:
        tell_made(engine.merge(site.apps), nothing="no migrations were made side by side")
        return
    if empty and not apps:
        raise click.UsageError("--empty needs the name of an app")
    _refuse_impossible_tables(site)
    begun = _begin(site, apps, write=write)
    told = _told(fills, renames, answers)
    asked = is_interactive() and not (no_input or yes)
    unasked = (lambda question: True) if yes else never if no_input else partial(_refuse_to_guess, told.fills)
    ask: Callable[[Any], bool] = _ask if asked else unasked
    if update:
        homes = _databases(site, None)
        changed = engine.update(site.apps, ask, fills=told.fills, renames=told.renames, write=write, databases=homes)
        made = [changed] if changed else []
    else:
        made = engine.make(
            site.apps,
            ask,
            fills=told.fills,
            ask_value=_ask_value if asked else None,
            name=name,
            write=write,
            empty=apps if empty else (),
            renames=told.renames,
        )
    _tell_made(site, made, begun=bool(begun), dry_run=dry_run, write=write)
    if checked and made:
        click.get_current_context().exit(1)


def _refuse_impossible_tables(site: Any) -> None:
    """Refuse models whose tables no database can make, such as for a constraint on a field that they have not.

    A migration of them could not be applied. Others than ``make`` find out when they ask for a table first.

    Raises:
        Problems: All of them.
    """
    problems = []
    for database in site.databases.homes:
        for model in database.schema:
            try:
                database.schema.table(model)
            except ToolkitError as error:
                problems.append(error)
    if problems:
        raise Problems(problems)


def _tell_made(site: Any, made: list[Any], *, begun: bool, dry_run: bool, write: bool) -> None:
    nothing = "nothing changed in the models"
    if not any(app.migrations_folder for app in site.apps) and not begun:
        labels = " or ".join(app.label for app in site.apps if app.models)
        nothing = f"no app has migrations yet; begin with: toolkit migrations make {labels}"
    tell_made(made, nothing=nothing, text=dry_run, written=write)


def _told(fills: tuple[str, ...], renames: tuple[str, ...], path: Path | None) -> Answers:
    found = Answers()
    if path is not None:
        found.read(path)
    found.fills |= _fills(fills)
    for one in renames:
        old, separator, new = one.partition("=")
        if not separator or old.count(".") not in (1, 2):
            raise click.BadParameter(f"{one!r} is not app.Model.field=new or app.Model=New", param_hint="--rename")
        found.renames[old] = new
    return found


def _begin(site: Any, labels: tuple[str, ...], *, write: bool) -> list[Path]:
    """Give the named apps a folder for their migrations, where they have none."""
    known = {app.label: app for app in site.apps}
    begun = []
    for label in labels:
        if label not in known:
            raise MigrationError(f"there is no app {label!r}", hint=did_you_mean(label, known))
        folder = known[label].folder / "migrations"
        if not folder.is_dir() and write:
            folder.mkdir()
            (folder / "__init__.py").touch()
            begun.append(folder)
    return begun


def _refuse_to_guess(fills: Mapping[str, Any], question: Any) -> bool:
    """The answer where nobody can be asked, and nobody said that none should be: what is dropped cannot be got back.

    Args:
        fills: Fields that existing rows get a value of, which are new ones.
        question: Whether something was renamed.

    Raises:
        MigrationError: Nobody said.
    """
    if f"{question.old.rpartition('.')[0]}.{question.new}" in fills:
        return False
    raise MigrationError(
        f"{question} Nobody can be asked here",
        hint=f"Say --rename {question.old}={question.new}, or --rename {question.old}= if it goes; "
        "--yes and --no-input answer all such questions.",
    )


def _ask(question: Any) -> bool:
    return click.confirm(str(question), default=False, err=True)


def _ask_value(question: str) -> Any:
    """A value as somebody types it; nothing when nothing is typed."""
    text = click.prompt(question, default="", show_default=False, err=True)
    return _value(text) if text else None


def _fills(given: tuple[str, ...]) -> dict[str, Any]:
    fills = {}
    for one in given:
        name, separator, text = one.partition("=")
        if not separator or name.count(".") != 2:
            raise click.BadParameter(f"{one!r} is not app.Model.field=value", param_hint="--fill")
        fills[name] = _value(text)
    return fills


def _value(text: str) -> Any:
    """JSON where it is some, and text elsewhere."""
    try:
        return json.loads(text)
    except ValueError:
        return text


@migrations.command()
@click.argument("app", required=False)
@click.argument("target", required=False)
@click.option("--plan", "planned", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--fake", is_flag=True, help="Only note it as done: the tables are right already.")
@click.option("--fake-initial", is_flag=True, help="Only note a first migration whose tables are all there.")
@click.option("--prune", is_flag=True, help="Forget applied migrations whose files are gone.")
@database_option
@json_option
@site_options
def apply(
    app: str | None,
    target: str | None,
    *,
    planned: bool,
    fake: bool,
    fake_initial: bool,
    prune: bool,
    alias: str | None,
) -> None:
    """Bring the databases up to date, or APP to TARGET: the beginning of a migration's name, or 'zero'.

    APP.TARGET is the same.
    """
    asked = invocation()
    site = open_site()
    point = app if target is None else f"{app}.{target}"
    with site:
        databases = _databases(site, alias)
        if prune:
            gone = [name for one in databases for name in engine.prune(one, site.apps, app)]
            _tell_steps([f"Forget {name}" for name in gone], nothing="nothing to forget")
            return
        if planned:
            steps = [
                f"would be done: {step}{_where(one, databases)}"
                for one in databases
                for step in engine.plan(one, site.apps, point, router=site.router)
            ]
            _tell_steps(steps)
            return
        done = [
            f"{step}{_where(database, databases)}"
            for database in databases
            for step in engine.apply(
                database,
                site.apps,
                point,
                tell=partial(_tell_step, _where(database, databases)),
                fake=fake,
                fake_initial=fake_initial,
                router=site.router,
            )
        ]
    if asked.as_json:
        asked.output.data(done)
        return
    asked.output.say(f"{len(done)} done" if done else "nothing to do")


def _databases(site: Any, alias: str | None) -> list[Any]:
    """The database of an alias, or all that migrations are applied to."""
    if alias is not None:
        return [site.databases.named(alias)]
    return engine.migrated_databases(site.databases.homes, site.apps, site.router)


def _where(database: Any, databases: list[Any]) -> str:
    """Which database is meant, where there are several."""
    return f" in {database.alias}" if len(databases) > 1 else ""


def _tell_step(where: str, step: Any) -> None:
    invocation().output.say(f"{step}{where}")


def _tell_steps(steps: list[str], *, nothing: str = "nothing to do") -> None:
    asked = invocation()
    if asked.as_json:
        asked.output.data(steps)
        return
    for step in steps:
        asked.output.say(step)
    if not steps:
        asked.output.say(nothing)


@migrations.command()
@click.argument("apps", nargs=-1, metavar="[APP]...")
@click.option("--plan", "planned", is_flag=True, help="With what each depends on.")
@database_option
@json_option
@site_options
def show(apps: tuple[str, ...], *, planned: bool, alias: str | None) -> None:
    """List the migrations of all apps, or of some, and when each was applied."""
    asked = invocation()
    site = open_site()
    database = site.databases.named(alias or DEFAULT)
    found = [one for one in engine.show(database, site.apps) if not apps or one.app in apps]
    if asked.as_json:
        asked.output.data([vars(one) for one in found])
        return
    headings = ("app", "migration", "applied", *(("after",) if planned else ()))
    rows = [(one.app, one.name, _state(one), *((", ".join(one.after),) if planned else ())) for one in found]
    asked.output.table(headings, rows)


def _state(one: engine.MigrationStatus) -> str:
    if one.missing:
        return "yes, but its file is gone"
    if one.interrupted:
        return "half"
    squashed = f" (stands for {one.replaces})" if one.replaces else ""
    return (f"{one.applied_at:%Y-%m-%d %H:%M:%S} UTC" if one.applied_at else "no") + squashed


@migrations.command()
@click.argument("app")
@click.argument("name", required=False)
@click.option("--backwards", is_flag=True, help="What undoes it.")
@database_option
@json_option
@site_options
def sql(app: str, name: str | None, *, backwards: bool, alias: str | None) -> None:
    """Print the SQL of the migration APP NAME; nothing is run."""
    asked = invocation()
    site = open_site()
    point = app if name is None else f"{app}.{name}"
    database = site.databases.named(alias or DEFAULT)
    lines = engine.sql(database, site.apps, point, backwards=backwards, router=site.router)
    if asked.as_json:
        asked.output.data(lines)
        return
    for line in lines:
        click.echo(line)


@migrations.command()
@click.option("--models-only", is_flag=True, help="Do not look at the database.")
@database_option
@json_option
@site_options
def check(models_only: bool, alias: str | None) -> None:
    """Say where models, migrations and tables disagree; nothing is written."""
    asked = invocation()
    site = open_site()
    found: list[MigrationError] = []
    for database in [None] if models_only else _databases(site, alias):
        found = found or engine.check(database, site.apps, router=site.router)
    found = found or engine.check_files(site.apps)
    if found:
        raise Problems(found, summary="models, migrations and tables disagree")
    if asked.as_json:
        asked.output.data({"ok": True, "problems": []})
    asked.output.say("models, migrations and tables agree", style="green")
