"""Finding the messages of a site: in its Python, its templates, and its models' labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import CatalogError, Problems, ToolkitError

from .catalog import Catalog, Message, MessageKey
from .extract_python import extract_python
from .extract_templates import extract_template
from .placeholders import format_flags

if TYPE_CHECKING:
    from jinja2 import Environment


def extract_site(
    environment: Environment,
    python_files: Iterable[Path],
    template_files: Iterable[Path],
    extra: Iterable[Message] = (),
    *,
    root: Path,
    project: str = "",
) -> Catalog:
    """The template (POT) of a site: every message that its pages may show.

    Args:
        environment: The environment that renders the templates: the same tags, policies and whitespace give
                the same msgids.
        python_files: Python sources.
        template_files: Templates, of any extension.
        extra: Messages found elsewhere, such as labels of models.
        root: Locations are written relative to this folder.
        project: Name and version for the header.

    Raises:
        Problems: Files that cannot be read, and texts that can never be translated, all together.
    """
    problems: list[ToolkitError] = []
    found: list[Message] = []
    for path in sorted(python_files):
        found += extract_python(path, location=_location(path, root), problems=problems)
    for path in sorted(template_files):
        found += extract_template(environment, path, location=_location(path, root), problems=problems)
    messages = merge_messages([*found, *extra], problems=problems)
    if problems:
        raise Problems(problems)
    return make_template(messages, project=project)


def make_template(messages: Iterable[Message], *, project: str = "") -> Catalog:
    """A catalog without a locale. It carries no date: extracting twice gives the same bytes."""
    header = {
        **({"Project-Id-Version": project} if project else {}),
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
    }
    return Catalog(messages=tuple(messages), header=header)


def merge_messages(messages: Iterable[Message], *, problems: list[ToolkitError] | None = None) -> tuple[Message, ...]:
    """One message for each (context, msgid), with all its locations and comments, sorted.

    A text used alone and with a plural is one message, as in gettext. A text cannot have two
    plurals.

    Args:
        messages: As they were found.
        problems: Where to add the conflicts; None raises them.

    Raises:
        Problems: Two plurals for one text, when ``problems`` is None.
    """
    merged: dict[MessageKey, Message] = {}
    conflicts: list[ToolkitError] = []
    for message in messages:
        if not message.msgid:  # gettext("") answers the header
            continue
        before = merged.get(message.key)
        if before and before.plural and message.plural and before.plural != message.plural:
            conflicts.append(_conflict(before, message))
        merged[message.key] = _join(before, message) if before else _tidy(message)
    if problems is not None:
        problems += conflicts
    elif conflicts:
        raise Problems(conflicts)
    return tuple(sorted(merged.values(), key=lambda message: (message.msgid, message.context or "")))


def _join(first: Message, second: Message) -> Message:
    return _tidy(
        replace(
            first,
            plural=first.plural if first.plural is not None else second.plural,
            locations=(*first.locations, *second.locations),
            comments=(*first.comments, *second.comments),
            flags=(*first.flags, *second.flags),
        )
    )


def _tidy(message: Message) -> Message:
    return replace(
        message,
        locations=tuple(sorted(set(message.locations))),
        comments=tuple(dict.fromkeys(message.comments)),
        flags=tuple(dict.fromkeys((*message.flags, *format_flags(*message.sources)))),
    )


def _conflict(first: Message, second: Message) -> CatalogError:
    where = first.locations[0] if first.locations else "another place"
    return CatalogError(
        f"{second.msgid[:60]!r} has the plural {second.plural!r} here and {first.plural!r} in {where}",
        path=second.locations[0] if second.locations else None,
        line=second.line or None,
        hint="A text has one plural: spell both alike, or give one of them a context.",
    )


def _location(path: Path, root: Path) -> str:
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return path.as_posix()
