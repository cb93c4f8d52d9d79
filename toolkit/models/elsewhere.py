"""Names that Django has and the toolkit has not, and what there is in place of each, for errors to tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MODULE = {
    "ArrayField": "There are no arrays; keep a list in a JSONField, or its items in a model of their own.",
    "Choices": "Inherit from TextChoices or IntegerChoices, or give any Enum, or pairs.",
    "CommaSeparatedIntegerField": "Keep a list in a JSONField.",
    "FieldDoesNotExist": "It is a FieldError, in toolkit.errors.",
    "FilteredRelation": "Conditions in one filter() are about one partner, and each aggregate takes a filter=.",
    "ForeignObject": "ForeignKey(..., from_fields=(...)) refers by several fields.",
    "IPAddressField": "Write GenericIPAddressField(protocol='IPv4').",
    "NullBooleanField": "Write BooleanField(null=True).",
    "OrderBy": "Write F('name').asc() or .desc().",
    "Random": "It would give another page at every build.",
    "RestrictedError": "It is a ProtectedError, in toolkit.errors.",
    "signals": "They are in toolkit.signals.",
}
QUERYSET = {
    "append": "Write create(...), or save() a row.",
    "db_manager": "using(alias) names the database.",
    "extra": "Put SQL of your own into a RawSQL(...), or ask with raw().",
    "group_by": "Write values(...).annotate(...).",
    "insert": "Write create(...).",
    "join": "Conditions follow relations: filter(section__slug=...).",
    "limit": "Write [:10].",
    "max": "Write aggregate(Max(...)).",
    "min": "Write aggregate(Min(...)).",
    "offset": "Write [10:].",
    "ordered": "Every answer is ordered.",
    "save": "One row is saved; all are changed with update(...).",
    "sort": "Write order_by(...).",
    "sum": "Write aggregate(Sum(...)).",
    "where": "Write filter(...).",
}
MODEL = {
    "_base_manager": "It is _meta.base_manager.",
    "_default_manager": "It is _meta.default_manager.",
    "get_absolute_url": "A page has the URL: url_for('story', story), in templates and in Python.",
    "serializable_value": "Read the attribute: author_id for the key of an author.",
}
OPTIONS = {
    "app_config": "app_label is the name of its app.",
    "get_parent_list": "parents has them, with the links to them.",
    "managers_map": "managers has them by name.",
    "order_with_respect_to": "ordering says the order.",
    "private_fields": "virtual and generic_relations have them, by name.",
    "proxy_for_model": "concrete_model is the model whose table it is.",
    "swapped": "Models are not exchanged by a setting.",
    "total_unique_constraints": "constraints has them all.",
    "unique_together": "constraints has a UniqueConstraint.",
}
FIELD = {
    "db_type": "sql_type() gives SQLAlchemy's type of the column.",
    "formfield": "There are no forms; clean(value) converts a value, and checks it.",
    "get_attname": "Read attname.",
    "get_attname_column": "Read attname and column.",
    "get_choices": "flatchoices are the pairs of value and label.",
    "get_internal_type": "Ask for the class: isinstance(field, models.CharField).",
    "get_prep_value": "db_writer(dialect) gives the function that makes the driver's value.",
    "rel": "related_model is the other model.",
    "remote_field": "related_model is the other model; on the field itself stand related_name, through and on_delete.",
    "run_validators": "clean(value) does it.",
}


def told(complaint: str, name: str, names: Mapping[str, str]) -> str:
    """A complaint that there is no such name, with what there is in its place."""
    return f"{complaint}. {names[name]}" if name in names else complaint


def of_instance(complaint: str, name: str, row: Any) -> str:
    """The same, of a row."""
    meta = row._meta
    if name.startswith(("get_next_by_", "get_previous_by_")):
        way, field = ("gt", name[12:]) if name.startswith("get_next") else ("lt", name[16:])
        if field in meta.by_name:
            order = f"{'' if way == 'gt' else '-'}{field}"
            asked = f"{meta.object_name}.objects.filter({field}__{way}=row.{field}).order_by({order!r}).first()"
            return f"{complaint}. Ask {asked}"
    if name.endswith("_set"):
        there = [each.accessor for each in meta.related_objects if each.model._meta.model_name == name[:-4]]
        if there:
            return f"{complaint}. Its related_name is {' or '.join(map(repr, there))}"
    if name not in MODEL and row._row and type(row).__init__.__module__ != "toolkit.models.model":
        return (
            f"{complaint}. {meta.object_name}.__init__() is called for new objects only, not for rows that are loaded"
        )
    return told(complaint, name, MODEL)
