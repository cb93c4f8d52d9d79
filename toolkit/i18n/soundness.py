"""What must hold before a catalog is used: each message has its forms, and the plural rule can be read."""

from __future__ import annotations

from toolkit.errors import CatalogError, Problems, ToolkitError

from .catalog import Catalog, Message
from .plurals import PluralForms, header_forms


def require_sound(catalog: Catalog) -> PluralForms:
    """The catalog's plural forms, when all its messages agree with them.

    Raises:
        Problems: All that would give a reader a wrong text, each a ``CatalogError`` with its line.
    """
    try:
        forms = header_forms(catalog.header, catalog.locale)
        forms.compile()
    except CatalogError as problem:
        problem.path = problem.path or catalog.path
        raise Problems([problem]) from problem
    wrong = [message for message in catalog.active if not has_right_count(message, forms)]
    if wrong:
        raise Problems([_count_error(message, forms, catalog) for message in wrong])
    return forms


def has_right_count(message: Message, forms: PluralForms) -> bool:
    """Whether a message has as many forms as its language; an untranslated one may have any number."""
    if message.plural is None or not any(message.translations):
        return True
    return len(message.translations) == forms.count


def _count_error(message: Message, forms: PluralForms, catalog: Catalog) -> ToolkitError:
    last = f"msgstr[0] to msgstr[{forms.count - 1}]" if forms.count > 1 else "msgstr[0] alone"
    return CatalogError(
        f"{message.msgid[:50]!r} has {len(message.translations)} forms; Plural-Forms says {forms.count}",
        path=catalog.path,
        line=message.line,
        hint=f"Give it {last}.",
    )
