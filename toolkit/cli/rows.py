"""What the commands about rows share: which models are meant, and where the text goes."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import IO, Any

from toolkit.builder.tables import bring_up
from toolkit.cli.sites import open_site
from toolkit.database import DEFAULT
from toolkit.errors import ContentError, DatabaseError, did_you_mean
from toolkit.files import replacing
from toolkit.models.inspecting import view_names
from toolkit.serialization.formats import opened
from toolkit.trace import Scope, entered


@contextmanager
def entered_site(alias: str = DEFAULT) -> Iterator[Scope]:
    """The scope of the site at hand, with all its tables.

    Args:
        alias: The database whose rows are meant.

    Raises:
        DatabaseError: There is no database of this alias, or it is a copy.
    """
    site = open_site()
    database = site.databases.named(alias)
    if database.replica_of:
        raise DatabaseError(
            f"{alias!r} is a copy of {database.replica_of!r}", hint=f"Say --database {database.replica_of}."
        )
    with entered(site.scope().at(database)) as scope:
        bring_up(site)
        yield scope


@contextmanager
def entered_home(name: str) -> Iterator[tuple[Scope, Any]]:
    """The scope of the database in which a model's rows are, and the model; see ``find_model``."""
    with entered_site() as scope:
        model = find_model(scope.database.schema.by_label.values(), name)
        with entered(scope.at(scope.site.databases.named(model._meta.database))) as there:
            yield there, model


def databases_left_out(scope: Scope) -> list[str]:
    """The other databases that have rows of the site's own."""
    homes = scope.site.databases.homes
    return [each.alias for each in homes if each is not scope.database and not each.read_only and each.schema.models]


def find_model(models: Iterable[Any], name: str, *, others: Iterable[Any] = ()) -> Any:
    """The model of a label (``newsroom.Tag``), in any case; the name alone is enough where one app has it.

    Args:
        models: Those that it may be.
        name: The label or the name.
        others: Those of other databases, which are told of.

    Raises:
        ContentError: There is none, or more than one.
    """
    known = [model for model in models if not model._meta.hidden]
    found = [model for model in known if _is_called(model, name)]
    if len(found) == 1:
        return found[0]
    labels = [model._meta.label for model in found or known]
    there = _told_elsewhere(model for model in others if _is_called(model, name))
    raise ContentError(
        f"{name!r} is {'more than one' if found else 'no'} model of this {'database' if there else 'site'}",
        hint=there or did_you_mean(name, labels) or f"Models: {', '.join(labels)}.",
    )


def _is_called(model: Any, name: str) -> bool:
    return name.lower() in (model._meta.label.lower(), model._meta.model_name)


def _told_elsewhere(models: Iterable[Any]) -> str:
    """The hint for models that are in another database; empty if there are none."""
    found = next((model._meta for model in models), None)
    return "" if found is None else f"{found.label} is in another one: say --database {found.database}."


def chosen_models(schema: Any, apps: Iterable[str], models: Iterable[str], exclude: Iterable[str]) -> list[Any]:
    """The models that are meant: all, or those named, without those excluded.

    Raises:
        ContentError: A name is no app and no model.
    """
    known = [model for model in schema if not model._meta.hidden]
    of_app: dict[str, list[Any]] = {}
    for model in known:
        of_app.setdefault(model._meta.app_label, []).append(model)
    others = [model for model in schema.by_label.values() if model not in known and not model._meta.hidden]
    for label in apps:
        if label not in of_app:
            there = _told_elsewhere(model for model in others if model._meta.app_label == label)
            hint = there or did_you_mean(label, of_app) or f"Apps with models: {', '.join(of_app)}."
            raise ContentError(f"{label!r} is no app with models{' in this database' if there else ''}", hint=hint)
    find = partial(find_model, known, others=others)
    named = [model for label in apps for model in of_app[label]] + [find(name) for name in models]
    without = {each for name in exclude for each in of_app.get(name) or [find(name)]}
    return [model for model in dict.fromkeys(named or known) if model not in without]


def without_views(database: Any, models: Iterable[Any]) -> list[Any]:
    """Those of the models that have a table: what a view shows are rows of others, and it takes none."""
    chosen = list(models)
    if all(model._meta.managed for model in chosen):
        return chosen
    views = view_names(database)
    return [model for model in chosen if model._meta.managed or model._meta.table not in views]


def parse_map(pairs: Iterable[str]) -> dict[str, str]:
    """Column to field, from ``COLUMN=FIELD``.

    Raises:
        ContentError: One is not of that form.
    """
    found = {}
    for pair in pairs:
        column, mark, field = pair.rpartition("=")
        if not mark or not column:
            raise ContentError(f"--map {pair!r} names no column and field", hint="Write COLUMN=FIELD.")
        found[column] = field.strip()
    return found


@contextmanager
def writing_to(path: Path | None) -> Iterator[IO[str]]:
    """Somewhere to write text: stdout, or a file that is there, whole, once the block has ended well.

    A device or a pipe is written to as it is, and not replaced by a file; of a link, the file that it leads to is.
    """
    if path is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    is_file = path.is_file() or not path.exists()
    with replacing(path.resolve()) if is_file else nullcontext(path) as place, opened(place, "w") as out:
        yield out
