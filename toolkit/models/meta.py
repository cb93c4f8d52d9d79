"""What ``class Meta`` may say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from toolkit.errors import DeclarationError, did_you_mean
from toolkit.models.declarations import is_unreadable

DEFAULT_PERMISSIONS = ("add", "change", "delete", "view")

META_OPTIONS = {
    "abstract": "no table of its own; its fields go to the models that inherit",
    "app_label": "the app it belongs to, if not the package it stands in",
    "base_manager_name": "the manager that follows references to the model's rows",
    "constraints": "UniqueConstraint, CheckConstraint and ExclusionConstraint objects",
    "database": "the alias of the database that the table is in, if not the site's main one",
    "db_table": "the table's name",
    "db_table_comment": "a comment on the table, for people who read the database; SQLite keeps none",
    "default_manager_name": "the manager of related sets, if not the first one declared",
    "default_permissions": "the permissions that every model has: 'add', 'change', 'delete', 'view'",
    "default_related_name": "the related_name of relations that have none of their own",
    "get_latest_by": "the field, or fields, that latest() goes by",
    "indexes": "Index objects",
    "managed": "False: others make and change the table; migrations and builds leave it as it is",
    "natural_key": "names of the fields that identify a row to people and in data files",
    "ordering": "names or expressions to order by, '-' for descending",
    "permissions": "further permissions, as (code, label) pairs",
    "proxy": "no table of its own; shows the rows of the model it inherits from in another way",
    "public": "a Q: which rows readers may see",
    "untranslated": "'hide' or 'show': what becomes of a row in a locale it is not translated to",
    "verbose_name": "the name that people read",
    "verbose_name_plural": "and its plural",
}

_LISTS = ("ordering", "constraints", "indexes", "natural_key", "permissions", "default_permissions")

_IN_PLACE_OF = {
    "unique_together": 'Say constraints = [models.UniqueConstraint(fields=["author", "day"], name="one_a_day")].',
    "index_together": 'Say indexes = [models.Index(fields=["author", "day"])].',
    "order_with_respect_to": "Add a field with the position, and say ordering.",
    "swappable": "Models are not exchanged by a setting; inherit from an abstract one.",
    "db_tablespace": "Tables lie where the database puts them; move them with RunSQL.",
    "select_on_save": "save() knows whether the row was loaded.",
    "required_db_features": "What a database cannot do is refused when the site is prepared.",
    "required_db_vendor": "Say in which database the model is: database = 'archive'.",
}
"""What stands in the place of options that Django has, or had."""


def options_of(name: str, meta: type | None) -> dict[str, Any]:
    """What ``class Meta`` says, and the classes that it inherits from; ``abstract`` is not inherited.

    Args:
        name: The model's name, for messages.
        meta: The class, if there is one.

    Raises:
        DeclarationError: It says something that there is not, or one text where a list belongs.
    """
    found: dict[str, Any] = {}
    for kind in reversed(meta.__mro__ if meta else ()):
        if kind is not object:
            found.pop("abstract", None)
            found |= {option: value for option, value in vars(kind).items() if not option.startswith("_")}
    for option, value in found.items():
        if option not in META_OPTIONS:
            hint = _IN_PLACE_OF.get(option) or did_you_mean(option, META_OPTIONS)
            raise DeclarationError(f"{name}.Meta: unknown option {option!r}", hint=hint)
        if option in _LISTS:
            _check_list(f"{name}.Meta: {option} = {value!r}", value)
        _check_items(f"{name}.Meta: {option}", option, value)
    return found


def _check_items(told: str, option: str, value: Any) -> None:
    """Refuse what is of another kind than the option takes."""
    if option == "db_table" and value is not None and not isinstance(value, str):
        raise DeclarationError(f"{told} = {value!r} is no text")
    if option in ("verbose_name", "verbose_name_plural") and is_unreadable(value):
        raise DeclarationError(f"{told} = {value!r} is no text")
    if option in ("abstract", "managed", "proxy") and isinstance(value, str):
        raise DeclarationError(f"{told} = {value!r}", hint="It is True or False; a text counts as true.")
    items = value if isinstance(value, list | tuple) else () if value is None else (value,)
    if option not in _ITEMS:
        return
    takes, hint = _ITEMS[option]
    for item in items:
        if isinstance(item, type) or not takes(item):
            raise DeclarationError(f"{told}: {item!r} is nothing that it takes", hint=hint)


def _is_name_or_expression(item: Any) -> bool:
    return isinstance(item, str) or hasattr(item, "lift")


def _is_pair_of_texts(item: Any) -> bool:
    return isinstance(item, list | tuple) and len(item) == 2 and isinstance(item[0], str)


_ITEMS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "indexes": (
        lambda item: hasattr(item, "named") and not hasattr(item, "refusal"),
        'Such as models.Index(fields=["title"]).',
    ),
    "constraints": (
        lambda item: hasattr(item, "named") and hasattr(item, "refusal"),
        'Such as models.UniqueConstraint(fields=["title"], name="one_title").',
    ),
    "ordering": (_is_name_or_expression, 'It takes names and expressions: ["-published"].'),
    "get_latest_by": (_is_name_or_expression, 'It takes the name of a field: "published".'),
    "permissions": (_is_pair_of_texts, 'It takes pairs of a code and a label: [("publish", "Publish stories")].'),
}
"""Option to what tells the items that it takes, and the way out."""


def _check_list(told: str, value: Any) -> None:
    if isinstance(value, str):
        raise DeclarationError(f"{told} is one text, and no list", hint=f"Write [{value!r}].")
    if not isinstance(value, Iterable):
        raise DeclarationError(f"{told} is no list", hint="Write it in brackets.")
