"""``toolkit settings``: each setting, its value and where it comes from."""

from __future__ import annotations

from typing import Any

import click

from toolkit.cli.failing import letter
from toolkit.cli.invocation import Invocation, invocation, json_option, site_options
from toolkit.cli.sites import open_site
from toolkit.errors import SettingError, ToolkitError, did_you_mean
from toolkit.folders import find_folder
from toolkit.settings import BY_NAME, PREFIX, TABLE, Setting, Settings, load_settings

HIDDEN = "(secret)"
_KINDS = {str: "text", int: "whole number", bool: "true or false", list: "list of texts", dict: "table of tables"}


@click.command()
@click.argument("name", required=False)
@click.option("--changed", is_flag=True, help="Only those that are not at their default.")
@json_option
@site_options
def settings(name: str | None, changed: bool) -> None:
    """Show each setting, its value and where it comes from.

    With NAME, that one in full: what it is for, its default, and the variable that overrides it.
    """
    asked = invocation()
    found = _read(asked)
    if name is not None:
        _explain(asked, found, name.removeprefix(PREFIX).lower())
        return
    shown = [row for row in TABLE if not changed or found.source(row.name) != "default"]
    if asked.as_json:
        asked.output.data({row.name: _data(found, row) for row in shown})
        return
    asked.output.table(
        ("setting", "value", "source", "what it is for"),
        [(row.name, _shown(found, row), found.source(row.name), row.help) for row in shown],
    )


def _read(asked: Invocation) -> Settings:
    """The site's settings, those said in code included; without the code, if it cannot be imported."""
    asked.folder = find_folder(asked.folder)
    plain = load_settings(asked.folder)
    try:
        return open_site(prepared=False).settings
    except Exception as error:  # noqa: BLE001 - settings are what one looks at when the site does not start
        why = letter(error) if isinstance(error, ToolkitError) else f"{type(error).__name__}: {error}"
        asked.output.note(f"note: settings said in code are not shown, for the site cannot be imported: {why}")
        return plain


def _shown(found: Settings, row: Setting) -> str:
    value = found.peek(row.name)
    if row.secret and value != row.default:
        return HIDDEN
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _data(found: Settings, row: Setting) -> dict[str, Any]:
    value = found.peek(row.name)
    return {
        "value": HIDDEN if row.secret and value != row.default else value,
        "source": found.source(row.name),
        "default": row.default,
        "type": row.kind.__name__,
        "help": row.help,
        "variable": f"{PREFIX}{row.name.upper()}",
        "secret": row.secret,
    }


def _explain(asked: Invocation, found: Settings, name: str) -> None:
    row = BY_NAME.get(name)
    if row is None:
        raise SettingError(f"there is no setting {name!r}", hint=did_you_mean(name, BY_NAME))
    if asked.as_json:
        asked.output.data({name: _data(found, row)})
        return
    asked.output.say(f"{name} = {_shown(found, row)}")
    for label, text in (
        ("source", found.source(name)),
        ("what for", row.help),
        ("type", _KINDS[row.kind]),
        ("default", repr(row.default)),
        ("variable", f"{PREFIX}{name.upper()}"),
        ("pages", "pages that read it are rendered again when it changes" if row.affects_pages else "none reads it"),
    ):
        asked.output.say(f"  {label:9} {text}")
