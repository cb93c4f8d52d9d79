"""What the commands about rows share: which models are meant, and where the text goes."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from toolkit.builder.tables import bring_up
from toolkit.cli.sites import open_site
from toolkit.errors import ContentError, did_you_mean
from toolkit.files import replacing
from toolkit.serialization.formats import opened
from toolkit.trace import Scope, entered


@contextmanager
def entered_site() -> Iterator[Scope]:
    """The scope of the site at hand, with all its tables."""
    site = open_site()
    with entered(site.scope()) as scope:
        bring_up(site)
        yield scope


def find_model(schema: Any, name: str) -> Any:
    """The model of a label (``newsroom.Tag``), in any case; the name alone is enough where one app has it.

    Raises:
        ContentError: There is none, or more than one.
    """
    known = [model for model in schema if not model._meta.hidden]
    told = name.lower()
    found = [model for model in known if told in (model._meta.label.lower(), model._meta.model_name)]
    if len(found) == 1:
        return found[0]
    labels = [model._meta.label for model in found or known]
    raise ContentError(
        f"{name!r} is {'more than one' if found else 'no'} model of this site",
        hint=did_you_mean(name, labels) or f"Models: {', '.join(labels)}.",
    )


def chosen_models(schema: Any, apps: Iterable[str], models: Iterable[str], exclude: Iterable[str]) -> list[Any]:
    """The models that are meant: all, or those named, without those excluded.

    Raises:
        ContentError: A name is no app and no model.
    """
    known = [model for model in schema if not model._meta.hidden]
    of_app: dict[str, list[Any]] = {}
    for model in known:
        of_app.setdefault(model._meta.app_label, []).append(model)
    for label in apps:
        if label not in of_app:
            hint = did_you_mean(label, of_app) or f"Apps with models: {', '.join(of_app)}."
            raise ContentError(f"{label!r} is no app with models", hint=hint)
    named = [model for label in apps for model in of_app[label]] + [find_model(schema, name) for name in models]
    without = {each for name in exclude for each in of_app.get(name) or [find_model(schema, name)]}
    return [model for model in dict.fromkeys(named or known) if model not in without]


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
    """Somewhere to write text: stdout, or a file that is there, whole, once the block has ended well."""
    if path is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    with replacing(path) as beside, opened(beside, "w") as out:
        yield out
