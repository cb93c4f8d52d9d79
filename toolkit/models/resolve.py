"""Resolving names between models, once all of a site's apps are imported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from hashlib import sha256
from typing import Any

from toolkit.errors import DeclarationError, FieldError, ToolkitError, did_you_mean
from toolkit.models.constraints import MAX_NAME_BYTES, UniqueConstraint
from toolkit.models.declarations import located_all
from toolkit.models.declaring import ModelBase
from toolkit.models.fields import CharField, Field
from toolkit.models.fields.several import by_parts
from toolkit.models.many_to_many import ManyToManyField
from toolkit.models.meta_names import check_names
from toolkit.models.model import Model
from toolkit.models.on_delete import CASCADE
from toolkit.models.related import RelatedByKey
from toolkit.models.related_between import RelatedBetween
from toolkit.models.related_objects import RelatedObject
from toolkit.models.relations import ForeignKey, Reverse
from toolkit.models.spreading import spread_keys


def models_in(module: Any) -> list[Any]:
    """The model classes that a module declares or hands on, in order, abstract ones left out."""
    found = []
    package = module.__name__.rpartition(".")[0] or module.__name__
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Model) and value is not Model:
            inside = value.__module__ == module.__name__ or value.__module__.startswith(f"{package}.")
            if inside and not value._meta.abstract and value not in found:
                found.append(value)
    return found


def resolve_models(models: Mapping[str, Iterable[Any]]) -> tuple[list[Any], list[ToolkitError]]:
    """Resolve relations between models, and make the hidden ones: tables between, and translations.

    Args:
        models: App label to its models.

    Returns:
        All models, hidden ones included, and the problems found.
    """
    problems: list[ToolkitError] = []
    everything: list[Any] = []
    for label, found in models.items():
        for model in found:
            model._meta.app_label = model._meta.app_label or label
            everything.append(model)
    names = {model._meta.label: model for model in everything}
    with_table = _with_table(everything)
    for model in with_table:
        problems += _located(model, _resolve_targets(model, names))
    problems += [] if problems else spread_keys(with_table)
    if problems:
        return everything, problems
    for model in with_table:
        everything += _hidden_models(model)
        problems += _located(model, _check_throughs(model))
    everything = list(dict.fromkeys(everything))
    problems += spread_keys(model for model in everything if model._meta.hidden)
    if not problems:
        problems += _join(everything, names)
    return everything, problems


def _with_table(models: Iterable[Any]) -> list[Any]:
    return [model for model in models if not model._meta.proxy]


def _join(everything: Sequence[Any], names: Mapping[str, Any]) -> list[ToolkitError]:
    """Give models the relations of others to them, and declare them resolved.

    Args:
        everything: All models, whose own relations are resolved.
        names: Label to model.
    """
    problems: list[ToolkitError] = []
    with_table = _with_table(everything)
    for model in with_table:
        _name_items(model)
        problems += _located(model, _add_reverse_relations(model))
    for model in with_table:
        for relation in model._meta.generic_relations.values():
            if relation.model is model:
                problems += _located(model, relation.resolve(names))
    for model in sorted(with_table, key=lambda model: len(model._meta.levels)):
        problems += _located(model, _inherit_reverse_relations(model))
    problems += _shared_names(with_table)
    for model in everything:
        if model._meta.proxy:
            model._meta.translation = model._meta.concrete_model._meta.translation
            problems += _located(model, _hidden_by_proxy(model))
        model._meta.resolved = True
        problems += _located(model, check_names(model))
    return problems


def _located(model: Any, problems: Iterable[ToolkitError]) -> list[ToolkitError]:
    """Problems of a model, with the place of its declaration."""
    return located_all(problems, model._meta.declared_at)


def _resolve_targets(model: Any, names: Mapping[str, Any]) -> Iterator[ToolkitError]:
    meta = model._meta
    for field in [*meta.local_foreign_keys(), *meta.local_many_to_many]:
        for attribute in ("to", "through"):
            named = getattr(field, attribute, None)
            if not isinstance(named, str):
                if named is not None and named._meta.abstract:
                    message = f"{meta.label}.{field.name} refers to {named.__name__}, which is abstract: it has no rows"
                    yield DeclarationError(message, hint="Name a model that inherits from it.")
                continue
            full = meta.label if named == "self" else named if "." in named else f"{meta.app_label}.{named}"
            target = names.get(full)
            if target is None:
                hint = did_you_mean(full, names)
                message = f"{meta.label}.{field.name} refers to {named!r}, which is no model of this site"
                yield DeclarationError(message, hint=hint)
            else:
                setattr(field, attribute, target)
    for field in meta.local_foreign_keys():
        if not isinstance(field.to, str) and not field.to._meta.abstract and field.to_field:
            yield from _check_to_field(field)


def _check_to_field(field: ForeignKey[Any]) -> list[ToolkitError]:
    meta = field.model._meta
    try:
        held = field.target_field
    except FieldError as error:
        return [DeclarationError(f"{meta.label}.{field.name}: to_field: {error.message}", hint=error.hint)]
    if held.unique or held.primary_key:
        return []
    return [
        DeclarationError(
            f"{meta.label}.{field.name}: to_field = {field.to_field!r} is not unique, so it does not tell one row",
            hint=f"Give {field.target.__name__}.{field.to_field} unique=True.",
        )
    ]


def _hidden_models(model: Any) -> list[Any]:
    meta = model._meta
    made = []
    for field in meta.local_many_to_many:
        if field.through is None:
            field.through = _through_model(model, field)
        if field.through._meta.hidden:
            made.append(field.through)
    if meta.translated:
        if meta.translation is None:
            meta.translation = _translation_model(model)
        made.append(meta.translation)
    return made


def _check_throughs(model: Any) -> Iterator[ToolkitError]:
    for field in model._meta.local_many_to_many:
        if not field.through._meta.hidden:
            yield from _check_through(field)


def _check_through(field: ManyToManyField[Any]) -> list[ToolkitError]:
    """Whether the table between has one foreign key to each side, or it is said which."""
    where, between = f"{field.model._meta.label}.{field.name}", field.through.__name__
    try:
        own, other = field.link_candidates()
    except FieldError as error:
        return [DeclarationError(f"{where}: through_fields: {error.message}", hint=error.hint)]
    circular = field.model._meta.concrete_model is field.target._meta.concrete_model
    several = 2 if circular and field.through_fields is None else 1
    for keys, side in ((own, field.model), (other, field.target)):
        if len(keys) < several:
            return [
                DeclarationError(
                    f"{where}: {between} has no foreign key to {side.__name__}", hint="The table between needs one."
                )
            ]
        if len(keys) > several:
            named = ", ".join(key.name for key in keys)
            return [
                DeclarationError(
                    f"{where}: {between} has several foreign keys to {side.__name__}: {named}",
                    hint="Say which with through_fields=(to this model, to the other).",
                )
            ]
    return []


def _name_items(model: Any) -> None:
    """Put the model's names into those of constraints and indexes that it inherited: ``%(class)s_unique``.

    A name that stands for several fields is taken apart.
    """
    meta = model._meta
    parts = {name: one.names for name, one in meta.virtual.items()}
    meta.constraints = [by_parts(item, parts).named(meta) for item in meta.constraints]
    meta.indexes = [by_parts(item, parts).named(meta) for item in meta.indexes]


def fitting(name: str) -> str:
    """A name that was put together, cut to what databases keep; what tells it from others like it stands at its end."""
    data = name.encode()
    if len(data) <= MAX_NAME_BYTES:
        return name
    end = f"_{sha256(data).hexdigest()[:8]}"
    return data[: MAX_NAME_BYTES - len(end)].decode(errors="ignore") + end


def _long_and_equal_columns(meta: Any) -> list[ToolkitError]:
    """Names of the table and its columns that a database would cut, or take for one.

    PostgreSQL cuts without a word, and two tables would be one.
    """
    columns = {field.name: field.column for field in meta.local_fields}
    named = [("", meta.table, "Meta.db_table"), *((f".{n}", column, "db_column") for n, column in columns.items())]
    problems: list[ToolkitError] = [
        DeclarationError(
            f"{meta.label}{where}: the name {name!r} is longer than databases keep, {MAX_NAME_BYTES} bytes",
            hint=f"Give it a shorter {option}.",
        )
        for where, name, option in named
        if len(name.encode()) > MAX_NAME_BYTES
    ]
    seen: dict[str, str] = {}
    for name, column in columns.items():
        other = seen.setdefault(column.lower(), name)
        if other != name:
            told = f"{meta.label}.{other} and {meta.label}.{name} have the columns {columns[other]!r} and {column!r}"
            problems.append(
                DeclarationError(f"{told}, which most databases take for one", hint="Give one another db_column.")
            )
    return problems


def _shared_names(models: Iterable[Any]) -> list[ToolkitError]:
    """Tables, constraints and indexes of one name in one database."""
    seen: dict[tuple[str, str, str], Any] = {}
    return [problem for model in models for problem in _located(model, _names_of(model, seen))]


def _names_of(model: Any, seen: dict[tuple[str, str, str], Any]) -> Iterator[ToolkitError]:
    """What is wrong with the names of a model's table, columns, constraints and indexes.

    Args:
        model: The model.
        seen: (database, kind, name) to who has it, of the models before; its own are added.
    """
    meta = model._meta
    if meta.managed and not meta.proxy:
        yield from _long_and_equal_columns(meta)
    named = [("table", meta.table), *(("name", item.name) for item in (*meta.constraints, *meta.indexes))]
    for kind, name in dict.fromkeys(named):
        other = seen.setdefault((meta.database, kind, name), model)
        if kind == "name" and len(name.encode()) > MAX_NAME_BYTES:
            told = f"{meta.label}.Meta: {name!r} is longer than databases keep, {MAX_NAME_BYTES} bytes"
            yield DeclarationError(told, hint="Shorten it.")
        if other is not model or named.count((kind, name)) > 1:
            what = "the table" if kind == "table" else "a constraint or index named"
            who = f"{meta.label} and {other._meta.label} both have" if other is not model else f"{meta.label} has twice"
            yield DeclarationError(
                f"{who} {what} {name!r}",
                hint="Give each a name of its own; '%(class)s' in a name stands for the model's."
                if kind == "name"
                else "Give one another Meta.db_table.",
            )


def _make(model: Any, name: str, fields: dict[str, Field[Any]], **options: Any) -> Any:
    """A hidden model beside another."""
    meta = type("Meta", (), {"app_label": model._meta.app_label, **options})
    namespace = {"__module__": model.__module__, "__qualname__": name, "Meta": meta, **fields}
    made: Any = ModelBase(name, (Model,), namespace)
    made._meta.hidden, made._meta.managed, made._meta.database = True, model._meta.managed, model._meta.database
    return made


def _through_model(model: Any, field: ManyToManyField[Any]) -> Any:
    """The table between: one row for each pair."""
    table = field.db_table or fitting(f"{model._meta.table}_{field.name}")
    own, other = model._meta.model_name, field.target._meta.model_name
    if own == other:
        own, other = f"from_{own}", f"to_{other}"
    fields: dict[str, Field[Any]] = {
        name: ForeignKey(side, on_delete=CASCADE, related_name="+", db_constraint=field.db_constraint)
        for name, side in ((own, model), (other, field.target))
    }
    unique = UniqueConstraint(fields=[own, other], name=fitting(f"{table}_pair_key"))
    return _make(model, f"{model.__name__}_{field.name}", fields, db_table=table, constraints=[unique])


def _translation_model(model: Any) -> Any:
    """The rows with the translated fields: one for each row and locale."""
    meta = model._meta
    table = fitting(f"{meta.table}_translation")
    above = any(level._meta.translated for level in meta.levels[:-1])  # a parent's row has translations already
    related_name = f"{meta.model_name}_translations" if above else "translations"
    fields: dict[str, Field[Any]] = {
        "source": ForeignKey(model, on_delete=CASCADE, related_name=related_name),
        "locale": CharField(max_length=35),
    }
    constraints = [UniqueConstraint(fields=["source", "locale"], name=fitting(f"{table}_source_locale_key"))]
    for field in meta.translated:
        twin = copy(field)
        twin.translated, twin.null, twin.blank, twin.unique, twin.model = False, True, True, False, None
        fields[field.name] = twin
        if field.unique:
            constraints.append(UniqueConstraint(fields=["locale", field.name], name=f"{table}_{field.name}_key"))
    return _make(model, f"{model.__name__}Translation", fields, db_table=table, constraints=constraints)


def _add_reverse_relations(model: Any) -> Iterator[ToolkitError]:
    meta = model._meta
    for field in meta.local_many_to_many:
        setattr(model, field.name, RelatedBetween(field.name, field, forward=True))
    for field in [*meta.local_foreign_keys(), *meta.local_many_to_many]:
        target = field.target._meta
        relation = Reverse(field.query_name, field.accessor, field)
        taken = target.reverse.get(relation.name)
        if (taken is not None and taken.field is not field) or relation.name in target.by_name:
            other = f"{taken.field.model.__name__}.{taken.field.name}" if taken else f"the field {relation.name!r}"
            message = f"{meta.label}.{field.name}: {target.object_name} already has {other} under {relation.name!r}"
            yield DeclarationError(message, hint="Give it a related_name of its own.")
            continue
        target.reverse[relation.name] = relation
        if relation.accessor is not None:
            descriptor: Any = RelatedObject(relation.accessor, relation)
            if isinstance(field, ManyToManyField):
                descriptor = RelatedBetween(relation.accessor, field, forward=False)
            elif relation.many:
                descriptor = RelatedByKey(relation.accessor, field)
            setattr(target.concrete_model, relation.accessor, descriptor)  # whose rows are a proxy's, too


def _inherit_reverse_relations(model: Any) -> Iterator[ToolkitError]:
    """What refers to a parent's row refers to that of a model that inherits from it; but for the links themselves."""
    meta = model._meta
    for parent in meta.parents:
        for inherited in parent._meta.reverse.values():
            if getattr(inherited.field, "parent_link", False):
                continue
            relation = _beside_other_translations(model, inherited)
            name = relation.name
            taken = meta.reverse.get(name, relation)
            if name in meta.by_name or taken.field is not relation.field:
                message = (
                    f"{meta.label} has its own {name!r}, and inherits another from {parent.__name__}: "
                    f"the other side of {relation.field.model.__name__}.{relation.field.name}"
                )
                yield DeclarationError(message, hint="Give one of them another name.")
            elif _hides(model, parent, name):
                hidden = f"{meta.label}.{name} would hide the relation that it inherits from {parent.__name__}"
                yield DeclarationError(hidden, hint="Give it another name, or make the parent abstract.")
            meta.reverse.setdefault(name, relation)


def _beside_other_translations(model: Any, relation: Reverse) -> Reverse:
    """A relation that a model inherits; under a name of its own, if it is to translations, as that of a parent before.

    ``fair.translations`` are those of the first parent that has some, ``fair.event_translations`` of the next.
    """
    taken = model._meta.reverse.get(relation.name, relation)
    if taken.field is relation.field or not all(map(_leads_to_translations, (taken, relation))):
        return relation
    name = f"{relation.field.target._meta.model_name}_translations"
    setattr(model, name, RelatedByKey(name, relation.field))
    return Reverse(name, name, relation.field)


def _leads_to_translations(relation: Reverse) -> bool:
    owner = getattr(relation.field, "target", None)
    return owner is not None and owner._meta.translation is relation.model


def _hidden_by_proxy(model: Any) -> list[ToolkitError]:
    """Attributes of a proxy that hide a generic relation, which questions would still find."""
    owner = model._meta.concrete_model
    return [
        DeclarationError(
            f"{model._meta.label}.{name} would hide the relation of {owner.__name__}", hint="Give it another name."
        )
        for name in owner._meta.generic_relations
        if name in vars(model)
    ]


def _hides(model: Any, parent: Any, name: str) -> bool:
    """Whether an attribute of a model hides a generic relation of a parent, which questions would still find."""
    inherited = parent._meta.generic_relations.get(name)
    return name in vars(model) and inherited is not None and model._meta.generic_relations[name] is inherited
