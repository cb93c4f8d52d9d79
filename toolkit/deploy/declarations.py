"""What ``toolkit.toml`` says of a target, checked: ``[deploy.live]``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from toolkit.errors import Problems, SettingError, ToolkitError, did_you_mean

HOSTS = (
    "plain", "netlify", "cloudflare", "github-pages", "gitlab-pages", "nginx", "apache", "caddy", "vercel", "s3",
)  # fmt: skip
"""Hosts whose own form of headers and redirects is known."""

_SECRETS = re.compile(r"(key|secret|password|passphrase|token|credential)", re.IGNORECASE)
_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_HARMLESS = {"key_filename", "token_env", "keys"}


@dataclass(frozen=True)
class Declaration:
    """One target.

    Args:
        name: As in ``[deploy.NAME]``.
        to: A folder, or a URL such as ``s3://bucket/prefix``.
        url: Where readers find it; the setting ``base_url`` if not said.
        host: Whose form of headers and redirects goes along; see ``HOSTS``.
        config: For hosts that are configured outside of what they serve: the file to write, below the site's folder.
        options: What the place takes besides, such as ``endpoint_url``; values ``$NAME`` come from the environment.
        releases: How many releases are kept, each whole; 0 to change the files in place.
        max_deletes: The most files that a deploy may delete: a number, or a percentage such as ``10%``.
        parallel: Files at a time.
        tries: How often a failed transfer is tried in all.
        lock_seconds: After how long a lock that nobody renews has expired.
        branch: The branch of a git repository.
        cname: The domain of a Pages host.
        verify: What is fetched afterwards: a number of files, ``all``, or 0.
        rollback: Go back to the release before when the verification fails.
        switch: With releases: the command that lets a host follow, whenever readers are to see another.
        after: Commands to run, and URLs to POST to, after a deploy.
        purge: What a CDN is told: ``post`` or ``command``, with ``batch``, ``token_env`` and ``key``.
    """

    name: str
    to: str
    url: str = ""
    host: str = "plain"
    config: str = ""
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    releases: int = 0
    max_deletes: int | str = 256
    parallel: int = 8
    tries: int = 4
    lock_seconds: int = 120
    branch: str = "gh-pages"
    cname: str = ""
    verify: int | str = 0
    rollback: bool = False
    switch: str = ""
    after: tuple[str, ...] = ()
    purge: Mapping[str, Any] = field(default_factory=dict)


_KINDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "to": ((str,), "text"),
    "url": ((str,), "text"),
    "host": ((str,), "text"),
    "config": ((str,), "text"),
    "options": ((dict,), "a table"),
    "releases": ((int,), "a whole number"),
    "max_deletes": ((int, str), "a whole number, or a percentage such as '10%'"),
    "parallel": ((int,), "a whole number"),
    "tries": ((int,), "a whole number"),
    "lock_seconds": ((int,), "a whole number"),
    "branch": ((str,), "text"),
    "cname": ((str,), "text"),
    "verify": ((int, str), "a whole number, or 'all'"),
    "rollback": ((bool,), "true or false"),
    "switch": ((str,), "text"),
    "after": ((list,), "a list of texts"),
    "purge": ((dict,), "a table"),
}
_LEAST = {"releases": 0, "parallel": 1, "tries": 1, "lock_seconds": 1}


def read_declarations(
    site: Any, *, environment: Mapping[str, str] | None = None, asked: str | None = None
) -> dict[str, Declaration]:
    """The targets of a site, by name.

    Args:
        site: A prepared site.
        environment: Of this process, for variables that options name.
        asked: The only target whose variables must be set: who deploys to one needs no secret of another.

    Raises:
        Problems: Everything that is wrong with them.
    """
    problems: list[ToolkitError] = []
    found = {}
    for name, table in site.settings.peek("deploy").items():
        wrong = _faults(name, table)
        problems += wrong
        if not wrong:
            unset: list[ToolkitError] = []
            found[name] = _declaration(site, name, table, os.environ if environment is None else environment, unset)
            problems += unset if asked in (None, name) else []
    if problems:
        raise Problems(problems)
    return found


def find_declaration(site: Any, name: str | None) -> Declaration:
    """The target of this name; without one, the only one there is.

    Raises:
        SettingError: There is none, or several.
    """
    declared = read_declarations(site, asked=name)
    if not declared:
        raise SettingError(
            "no target is declared", hint='Write in toolkit.toml: [deploy.live] and below it to = "/var/www/site".'
        )
    if name is None:
        if len(declared) > 1:
            raise SettingError("several targets are declared", hint=f"Say which: {', '.join(sorted(declared))}.")
        return next(iter(declared.values()))
    if name not in declared:
        raise SettingError(f"there is no target {name!r}", hint=did_you_mean(name, declared))
    return declared[name]


def _faults(name: str, table: Mapping[str, Any]) -> list[ToolkitError]:
    where = f"deploy.{name}"
    found: list[ToolkitError] = []
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        found.append(SettingError(f"{where}: the name of a target has letters, digits, - and _ only"))
    for key, value in table.items():
        if key not in _KINDS:
            found.append(SettingError(f"{where}: there is no option {key!r}", hint=did_you_mean(key, _KINDS)))
            continue
        kinds, told = _KINDS[key]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            found.append(SettingError(f"{where}.{key} = {value!r}: expected {told}"))
        elif isinstance(value, int) and value < _LEAST.get(key, value):
            found.append(SettingError(f"{where}.{key} = {value}: it must be at least {_LEAST[key]}"))
    if not found:
        found += [SettingError(f"{where}.{wrong}") for wrong in _value_faults(table)]
    return found


def _value_faults(table: Mapping[str, Any]) -> list[str]:
    found = []
    to, host, deletes, verify = table.get("to"), table.get("host"), table.get("max_deletes"), table.get("verify")
    cname = table.get("cname")
    if not to:
        found.append('to is missing: say where to, such as to = "s3://bucket/prefix"')
    elif urlsplit(to).password:
        found.append("to holds a password: leave it to the environment, a key file or an agent")
    if host is not None and host not in HOSTS:
        found.append(f"host = {host!r} is not known. {did_you_mean(host, HOSTS)}")
    if isinstance(deletes, str) and not re.fullmatch(r"(100|[0-9]{1,2})%", deletes):
        found.append(f"max_deletes = {deletes!r}: expected a whole number, or a percentage such as '10%'")
    if cname and not re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", cname):
        found.append(f"cname = {cname!r}: expected a domain alone, such as 'courier.example'")
    if table.get("switch") and not table.get("releases"):
        found.append("switch: without releases there is nothing to switch")
    if isinstance(verify, str) and verify != "all":
        found.append(f"verify = {verify!r}: expected a whole number, or 'all'")
    for item in table.get("after", ()):
        if not isinstance(item, str):
            found.append(f"after has {item!r}: expected a list of texts")
    found += [
        f'options.{key} is a secret: name a variable of the environment, as {key} = "$NAME"'
        for key, value in table.get("options", {}).items()
        if _is_secret(key, value)
    ]
    return found + _purge_faults(table.get("purge", {}))


def _purge_faults(purge: Mapping[str, Any]) -> list[str]:
    if not purge:
        return []
    known = ("post", "command", "batch", "token_env", "key")
    found = [f"purge: there is no option {key!r}. {did_you_mean(key, known)}" for key in purge if key not in known]
    if ("post" in purge) == ("command" in purge):
        found.append('purge needs either post = "https://…" or command = "…"')
    return found


def _is_secret(key: str, value: object) -> bool:
    if key in _HARMLESS or not isinstance(value, str) or _VARIABLE.fullmatch(value):
        return False
    return _SECRETS.search(key) is not None


def _declaration(
    site: Any, name: str, table: Mapping[str, Any], environment: Mapping[str, str], problems: list[ToolkitError]
) -> Declaration:
    options = {}
    for key, value in table.get("options", {}).items():
        variable = _VARIABLE.fullmatch(value) if isinstance(value, str) else None
        if variable is None:
            options[key] = value
        elif variable[1] in environment:
            options[key] = environment[variable[1]]
        else:
            problems.append(SettingError(f"deploy.{name}.options.{key}: the variable {variable[1]} is not set"))
    given = {**table, "options": options, "after": tuple(table.get("after", ()))}
    given.setdefault("url", site.settings.peek("base_url"))
    given.setdefault("host", _usual_host(table["to"]))
    return Declaration(name, **given)


def _usual_host(to: str) -> str:
    if to.startswith("s3://"):
        return "s3"
    return "github-pages" if to.startswith("git+") or to.endswith(".git") else "plain"
