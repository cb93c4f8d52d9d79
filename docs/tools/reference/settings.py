"""The settings, from their table."""

from __future__ import annotations

from toolkit.settings import PREFIX, TABLE, Numbers, Setting

_KINDS = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    list: "a list of texts",
    Numbers: "a list of whole numbers",
    dict: "a table of tables; as a variable, JSON",
}


def settings() -> str:
    """A heading for each setting."""
    return "\n\n".join(_one(row) for row in TABLE)


def _one(row: Setting) -> str:
    default = (
        {True: "true", False: "false"}.get(row.default, repr(row.default)) if row.kind is bool else repr(row.default)
    )
    lines = [
        f"- Type: {_KINDS[row.kind]}",
        f"- Default: `{default.replace(chr(39), chr(34))}`",
        f"- Variable: `{PREFIX}{row.name.upper()}`",
    ]
    if row.affects_pages:
        lines.append("- A page that reads it is rendered again when it changes.")
    if row.secret:
        lines.append("- `toolkit settings` does not show its value.")
    return f"## `{row.name}`\n\n{row.help}\n\n" + "\n".join(lines)
