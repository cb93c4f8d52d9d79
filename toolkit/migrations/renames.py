"""Which removed thing is an added one under a new name: found by likeness, decided by somebody who knows."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from toolkit.migrations.fields import FieldState
from toolkit.migrations.state import ModelState, ProjectState

Ask = Callable[[str], bool]
"""Answers a question of the autodetector with yes or no."""

LIKENESS = 0.5
"""How much of two models' fields must agree for one to be the other renamed, from 0 to 1."""


def never(question: str) -> bool:
    """The answer when nobody can be asked: no."""
    return False


@dataclass(frozen=True)
class RenamedModel:
    """A model that got another name."""

    app: str
    old: str
    new: str


def renamed_models(before: ProjectState, after: ProjectState, *, ask: Ask) -> Iterator[RenamedModel]:
    """The models that were renamed; each is asked about, but for those that follow from one that was."""
    gone = [model for label, model in before.models.items() if label not in after.models]
    come = [model for label, model in after.models.items() if label not in before.models]
    leading = [model for model in gone if not any(_is_hidden_of(model, owner) for owner in gone)]
    pairs = sorted(_candidates(leading, come), key=lambda pair: (-_likeness(*pair), pair[0].label, pair[1].label))
    used: set[str] = set()
    for old, new in pairs:
        if old.label in used or new.label in used:
            continue
        if old.table == new.table or ask(f"Was the model {old.label} renamed to {new.name}?"):
            for renamed in [RenamedModel(old.app, old.name, new.name), *_followers(old, new, gone, come)]:
                used |= {f"{renamed.app}.{renamed.old}", f"{renamed.app}.{renamed.new}"}
                yield renamed


def renamed_field(model: ModelState, wanted: ModelState, *, name: str, ask: Ask) -> str | None:
    """The new name of a field that is not there any more, or None when it is gone.

    Args:
        model: As it was.
        wanted: As it shall be.
        name: The field that is not in ``wanted``.
        ask: Whom to ask.
    """
    field = model.get_field(name)
    come = [other for other in wanted.fields if other.name not in model.field_names]
    same = [other for other in come if _same_but_name(field, other)]
    for other in sorted(same, key=lambda other: (-_nearness(name, other.name), other.name)):
        if ask(f"Was the field {model.label}.{name} renamed to {other.name}?"):
            return other.name
    return None


def _same_but_name(old: FieldState, new: FieldState) -> bool:
    """A field that was translated keeps its twin: nullness aside, the kind and options must agree."""
    return old.identity == new.identity


def _candidates(gone: Iterable[ModelState], come: Iterable[ModelState]) -> Iterator[tuple[ModelState, ModelState]]:
    come = list(come)
    for old in gone:
        for new in come:
            if old.app == new.app and (old.table == new.table or _likeness(old, new) >= LIKENESS):
                yield old, new


def _likeness(old: ModelState, new: ModelState) -> float:
    """How much of the fields agree, from 0 to 1: one of the same name counts, half if its kind is another."""
    before = {field.name: field.kind for field in old.fields if not field.kind.endswith(".AutoField")}
    after = {field.name: field.kind for field in new.fields if not field.kind.endswith(".AutoField")}
    shared = before.keys() & after.keys()
    everything = before.keys() | after.keys()
    score = sum(1.0 if before[name] == after[name] else 0.5 for name in shared)
    return score / len(everything) if everything else 0.0


def _nearness(old: str, new: str) -> float:
    return difflib.SequenceMatcher(None, old, new).ratio()


def _followers(
    old: ModelState, new: ModelState, gone: Iterable[ModelState], come: Iterable[ModelState]
) -> Iterator[RenamedModel]:
    """The hidden models of a renamed one: they are called after it, so nobody needs to be asked."""
    names = {model.name for model in come if model.app == new.app}
    for model in gone:
        name = new.name + model.name.removeprefix(old.name)
        if _is_hidden_of(model, old) and name in names:
            yield RenamedModel(model.app, model.name, name)


def _is_hidden_of(model: ModelState, owner: ModelState) -> bool:
    """Whether a model is the table between, or of the translations, of another: it is called after it."""
    rest = model.name.removeprefix(owner.name)
    return model.app == owner.app and model.name.startswith(owner.name) and rest.startswith(("_", "Translation"))
