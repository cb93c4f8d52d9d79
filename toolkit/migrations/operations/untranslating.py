"""Translations that are dropped with their column, though the field stays: ``translated=True`` was taken off it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from toolkit.errors import MigrationError
from toolkit.migrations.state import ModelState, ProjectState

if TYPE_CHECKING:
    from toolkit.migrations.editors.base import Editor


def refuse_lost_translations(
    editor: Editor, label: str, *, names: Collection[str] | None, before: ProjectState
) -> None:
    """Refuse to drop translations.

    Args:
        editor: Of the database.
        label: The model whose column or table is dropped.
        names: The fields whose columns are dropped; None for all.
        before: The models before it.

    Raises:
        MigrationError: It has translations, and there are some.
    """
    model = before.models[label]
    owner = translated_by(model, before)
    if owner is None or editor.journal.is_resuming:
        return
    own = before.classes([label])[label]
    for name in texts_of(model):
        if names is not None and name not in names:
            continue
        field = own._meta.by_name[name]
        column, locale, table = (editor.quote(each) for each in (field.column, "locale", own._meta.table))
        given = f"{column} IS NOT NULL" + (f" AND {column} <> ''" if field.native is str else "")
        found = editor.database.fetch(
            f"SELECT {locale}, count(*) FROM {table} WHERE {given} GROUP BY {locale} ORDER BY {locale}"  # noqa: S608 - quoted
        )
        if found:
            told = ", ".join(f"{number} in {locale!r}" for locale, number in found)
            raise MigrationError(
                f"{owner.label}.{name}: its translations would be lost, {told}",
                hint="Copy what shall stay in a RunPython before, and write lossy=True into the operation.",
            )


def translated_by(model: ModelState, state: ProjectState) -> ModelState | None:
    """The model whose translations a model keeps; None if it keeps none."""
    key = next((field for field in model.fields if field.name == "source" and field.to), None)
    owner = state.models.get(str(key.to)) if key is not None and "locale" in model.field_names else None
    return owner if owner is not None and model.name == f"{owner.name}Translation" else None


def texts_of(model: ModelState) -> list[str]:
    """The fields of a model of translations that are translated."""
    return [field.name for field in model.fields if field.name not in ("source", "locale") and not field.is_key]
