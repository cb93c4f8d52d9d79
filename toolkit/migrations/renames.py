"""Which removed thing is an added one under a new name: found by likeness, decided by somebody who knows."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from toolkit.errors import MigrationError, did_you_mean
from toolkit.migrations.fields import FieldState
from toolkit.migrations.state import ModelState, ProjectState

Ask = Callable[[str], bool]
"""Answers a question of the autodetector with yes or no."""

LIKENESS = 0.5
"""How much of two models' fields must agree for one to be the other renamed, from 0 to 1."""


def never(question: str) -> bool:
    """The answer when nobody can be asked: no."""
    return False


class Answers:
    """Answers questions from what was told beforehand, and asks somebody about the rest.

    Args:
        told: ``app.Model.field`` to its new name, ``app.Model`` to its new name; nothing for "was not renamed".
            Of a model that is renamed the old name will do as well as the new one. The name of a many-to-many field
            stands for the table between.
        ask: Whom to ask about the rest.
    """

    def __init__(self, told: Mapping[str, str], ask: Ask) -> None:
        self._told, self._ask = dict(told), ask
        self._used: set[str] = set()

    def __call__(self, question: str) -> bool:
        if not isinstance(question, Question):
            return self._ask(question)
        name, new = self._named(question.old)
        if new is None:
            return self._ask(question)
        answer = new == question.new
        self._used |= {name} if answer or not new else set()
        return answer

    def says(self, old: str, new: str) -> bool:
        """Whether it was told beforehand that this was renamed so; noted as used then."""
        name, told = self._named(old)
        if told != new:
            return False
        self._used.add(name)
        return True

    def follow(self, renamed: RenamedModel) -> None:
        """Take what was told of the fields of a model under its old name for told under its new one."""
        old, new = (f"{renamed.app}.{name}." for name in (renamed.old, renamed.new))

        def followed(name: str) -> str:
            return new + name.removeprefix(old) if name.startswith(old) else name

        self._told = {followed(name): to for name, to in self._told.items()}
        self._used = {followed(name) for name in self._used}

    def of_fields(self, label: str) -> dict[str, str]:
        """What was told of the fields of a model: old to new name."""
        names = ((*old.rpartition("."), new) for old, new in self._told.items() if new)
        return {name: new for model, _, name, new in names if model == label}

    @property
    def _between(self) -> dict[str, str]:
        """Label of what would be the table between of a field that was told, to the name of that."""
        named = ((name, name.split(".")) for name in self._told if name.count(".") == 2)
        return {f"{app}.{model}_{field}": name for name, (app, model, field) in named}

    def _named(self, old: str) -> tuple[str, str | None]:
        """The name under which something was told, and its new one: of a table between, that of its field will do."""
        name = old if old in self._told else self._between.get(old)
        if name is None or name == old:
            return old, self._told.get(old)
        new = self._told[name]
        return name, f"{name.split('.')[1]}_{new}" if new else ""

    def refuse_to_guess(self, question: Question) -> None:
        """Refuse to take links for gone, when nobody can be asked whether a model of one's own has them now.

        Args:
            question: Whether the table between is that model.

        Raises:
            MigrationError: Nobody can be asked, and it was not told beforehand.
        """
        if self._ask is never and self._named(question.old)[1] is None:
            raise MigrationError(
                f"the links in {question.old} would be lost: it goes, and {question.new} refers to the same models",
                hint=f"Say --rename {question.old}={question.new} if it has them from now on, or --rename "
                f"{question.old}= to let them go.",
            )

    def check(self, before: ProjectState, after: ProjectState) -> None:
        """Refuse answers that nobody asked for: they are mistyped.

        Args:
            before: The models as the migrations leave them.
            after: The models.

        Raises:
            MigrationError: There are some.
        """
        unused = {old: new for old, new in self._told.items() if old not in self._used and new}
        if unused:
            told = ", ".join(f"{old} to {new}" for old, new in unused.items())
            why, hint = _why_none(*next(iter(unused.items())), before.models, after.models)
            raise MigrationError(f"told of a rename that is none: {told}{why}", hint=hint)


def _why_none(old: str, new: str, before: Mapping[str, ModelState], after: Mapping[str, ModelState]) -> tuple[str, str]:
    """Why something cannot have been renamed so, and what to do."""
    target = f"{old.rpartition('.')[0]}.{new}"
    if old.count(".") == 1:
        if old not in before:
            return f"; {old} was no model", did_you_mean(old, before)
        if target not in after:
            return f"; {target} is no model", did_you_mean(target, after)
        if old in after:
            both = f"{old} is still a model, and {target} another"
            told = f"{old} and {target} were models, and are" if target in before else both
            return f"; {told}", "One name after the other: give the first a third name, make the migration, then go on."
        if target in before:
            return f"; {target} was a model already", "Remove that one, or rename it, in a migration before."
    return "", (
        "The old name must be gone from the models or have become another's, and the new one be there. If a field of "
        "that name goes, remove that one in a migration before."
    )


class Question(str):
    """A question as people read it, which knows what it is about.

    Args:
        old: ``app.Model`` or ``app.Model.field`` as it was.
        new: The name that it may have now.
    """

    old: str
    new: str

    def __new__(cls, text: str, old: str, new: str) -> Question:
        """Make one."""
        made = super().__new__(cls, text)
        made.old, made.new = old, new
        return made


@dataclass(frozen=True)
class RenamedModel:
    """A model that got another name."""

    app: str
    old: str
    new: str


def renamed_models(before: ProjectState, after: ProjectState, *, ask: Ask) -> Iterator[RenamedModel]:
    """The models that were renamed; each is asked about, but for those that follow from one that was.

    Raises:
        MigrationError: Links would be lost, and nobody can be asked.
    """
    state, names = before, {}
    for renamed in _renamed_leading(before, after, ask=ask):
        state = state.with_model_renamed(renamed.app, renamed.old, renamed.new)
        names[f"{renamed.app}.{renamed.old}"] = renamed.new
        yield renamed
    yield from _renamed_links(state, after, names, ask=ask)


def _renamed_leading(before: ProjectState, after: ProjectState, *, ask: Ask) -> Iterator[RenamedModel]:
    """The renamed models, each with those that are called after it; the others that have links now come later."""
    gone, come = _gone_and_come(before, after)
    leading = [model for model in gone if not any(_is_hidden_of(model, owner) for owner in gone)]
    fresh = [model for model in come if not any(is_between_of(model, owner) for owner in come)]
    staying = [model for label, model in before.models.items() if label in after.models]
    possible = [
        (one, other)
        for one, other in _candidates(leading, fresh)
        if not _changes_owner(one, other, staying) and not _are_between(one, other, staying)
    ]
    used: set[str] = set()
    for old, new in _likest_first(possible):
        if old.label in used or new.label in used:
            continue
        question = Question(f"Was the model {old.label} renamed to {new.name}?", old.label, new.name)
        told = isinstance(ask, Answers) and ask.says(old.label, new.name)
        if told or old.table == new.table or (_likeness(old, new) >= LIKENESS and ask(question)):
            yield RenamedModel(old.app, old.name, new.name)  # what follows is called after the new name from here on
            used |= {old.label, new.label}
            for renamed in _followers(old, new, gone, come, ask=ask):
                used |= {f"{renamed.app}.{renamed.old}", f"{renamed.app}.{renamed.new}"}
                yield renamed


def _renamed_links(
    state: ProjectState, after: ProjectState, names: Mapping[str, str], *, ask: Ask
) -> Iterator[RenamedModel]:
    """The tables between of fields with other names, those that are models of one's own now, and models that are such.

    Args:
        state: The models once all others have their new names.
        after: The models as they shall be.
        names: Label of each renamed model as it was to its new name: the tables between are still called after that.
        ask: Whom to ask. Likeness says nothing here: such a model may have any other fields beside.
    """
    gone, come = _gone_and_come(state, after)
    staying = [model for label, model in state.models.items() if label in after.models]
    used: set[str] = set()
    for old, new in _likest_first(_candidates(gone, come)):
        between = _are_between(old, new, staying)
        if {old.label, new.label} & used or not (between or _has_links_of(_called_after(old, names), new, staying)):
            continue
        question = Question(f"Was the model {old.label} renamed to {new.name}?", old.label, new.name)
        told = (isinstance(ask, Answers) and ask.says(old.label, new.name)) or old.table == new.table
        if not told and not between and isinstance(ask, Answers):
            ask.refuse_to_guess(question)
        if told or ((not between or _targets(old) == _targets(new)) and ask(question)):
            used |= {old.label, new.label}
            yield RenamedModel(old.app, old.name, new.name)


def _gone_and_come(before: ProjectState, after: ProjectState) -> tuple[list[ModelState], list[ModelState]]:
    """The models that are in one state only: in the first, in the second."""
    gone = [model for label, model in before.models.items() if label not in after.models]
    return gone, [model for label, model in after.models.items() if label not in before.models]


def _likest_first(pairs: Iterable[tuple[ModelState, ModelState]]) -> list[tuple[ModelState, ModelState]]:
    return sorted(pairs, key=lambda pair: (-_likeness(*pair), pair[0].label, pair[1].label))


def _called_after(model: ModelState, names: Mapping[str, str]) -> ModelState:
    """A table between under the name that it would have, were it called after what its owner is called now."""
    for label, new in names.items():
        app, _, old = label.partition(".")
        if model.app == app and model.name.startswith(f"{old}_"):
            return replace(model, name=new + model.name.removeprefix(old))
    return model


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
    for other in come:  # whoever was told knows better than any likeness
        if isinstance(ask, Answers) and ask.says(f"{model.label}.{name}", other.name):
            return other.name
    same = [other for other in come if _same_but_name(field, other)]
    for other in sorted(same, key=lambda other: (-_nearness(name, other.name), other.name)):
        text = f"Was the field {model.label}.{name} renamed to {other.name}?"
        if ask(Question(text, f"{model.label}.{name}", other.name)):
            return other.name
    return None


def _same_but_name(old: FieldState, new: FieldState) -> bool:
    """A field that was translated keeps its twin: nullness aside, the kind and options must agree."""
    return old.identity == new.identity


def _candidates(gone: Iterable[ModelState], come: Iterable[ModelState]) -> Iterator[tuple[ModelState, ModelState]]:
    come = list(come)
    for old in gone:
        for new in come:
            if old.app == new.app:
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
    old: ModelState, new: ModelState, gone: Iterable[ModelState], come: Sequence[ModelState], *, ask: Ask
) -> Iterator[RenamedModel]:
    """The hidden models of a renamed one: they are called after it, and nobody needs to be asked.

    A many-to-many field may have got another name, too: that is a question.
    """
    names = {model.name for model in come if model.app == new.app}
    taken = {new.name + model.name.removeprefix(old.name) for model in gone if _is_hidden_of(model, old)}
    for model in gone:
        name = new.name + model.name.removeprefix(old.name)
        if _is_hidden_of(model, old) and name in names:
            yield RenamedModel(model.app, model.name, name)
        elif _is_hidden_of(model, old) and is_between_of(model, old):
            label = f"{model.app}.{name}"
            alike = [other for other in come if is_between_of(other, new) and _links_alike(model, old, other, new)]
            for other in [other for other in alike if other.name not in taken]:
                if ask(Question(f"Was the model {label} renamed to {other.name}?", label, other.name)):
                    taken.add(other.name)
                    yield RenamedModel(model.app, model.name, other.name)
                    break


def _links_alike(model: ModelState, old: ModelState, other: ModelState, new: ModelState) -> bool:
    """Whether the tables between of a model under its two names lead to the same models."""
    before = sorted(new.label if field.to == old.label else field.to for field in model.fields if field.to)
    return before == sorted(field.to for field in other.fields if field.to)


def _are_between(old: ModelState, new: ModelState, staying: Iterable[ModelState]) -> bool:
    """Whether both are tables between of one model that stays: of many-to-many fields of its."""
    return any(is_between_of(old, owner) and is_between_of(new, owner) for owner in staying)


def _targets(model: ModelState) -> list[str]:
    """The labels of the models that one refers to."""
    return sorted(field.to for field in model.fields if field.to is not None)


def _changes_owner(old: ModelState, new: ModelState, staying: Iterable[ModelState]) -> bool:
    """Whether one is a hidden model of a model that stays, and the other is not: it is another's, if anybody's."""
    return any(_is_hidden_of(old, owner) and not _is_hidden_of(new, owner) for owner in staying)


def _has_links_of(old: ModelState, new: ModelState, staying: Sequence[ModelState]) -> bool:
    """Whether one is the table between of a model that stays, and the other is what ``through`` names beside it."""
    between, own = (old, new) if any(_is_hidden_of(old, owner) for owner in staying) else (new, old)
    wanted, given = ([field.to for field in model.fields if field.to] for model in (between, own))
    refers = all(given.count(label) >= wanted.count(label) for label in wanted)
    is_own = not any(_is_hidden_of(own, owner) for owner in staying)
    return is_own and refers and any(is_between_of(between, owner) for owner in staying)


def is_between_of(model: ModelState, owner: ModelState) -> bool:
    """Whether a model is the table between of another and what that links to."""
    keys = [field.to for field in model.fields if field.to]
    return len(keys) == 2 and owner.label in keys and model.name.startswith(f"{owner.name}_")


def _is_hidden_of(model: ModelState, owner: ModelState) -> bool:
    """Whether a model is the table between, or of the translations, of another: it is called after it."""
    rest = model.name.removeprefix(owner.name)
    return model.app == owner.app and model.name.startswith(owner.name) and rest.startswith(("_", "Translation"))
