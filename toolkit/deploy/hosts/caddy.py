"""Caddy: directives for a site block.

Source: caddyserver.com/docs, "Caddyfile Concepts", "Request matchers", ``header``, ``redir``, ``handle_errors``.
"""

from __future__ import annotations

import json
import re
from urllib.parse import unquote

from toolkit.deploy.files import Build
from toolkit.deploy.hosts.form import (
    HostForm,
    not_found_pages,
    odd_types,
    ordered,
    usual_types,
    written_by,
)
from toolkit.errors import DeployError
from toolkit.site.headers import HeaderRule
from toolkit.site.redirects import SPLAT, Redirect

_SERVER = """\
    @toolkit_index {
        path_regexp toolkit_index ^(.*/)index\\.html$
        file
    }
    redir @toolkit_index {re.toolkit_index.1} 308
    @toolkit_folder {
        not path */
        file {path}/index.html
    }
    redir @toolkit_folder {http.request.orig_uri.path}/ 308
"""


def caddy_form(build: Build) -> HostForm:
    """For Caddy, whose configuration lies outside of what it serves; ``import`` it in a site block."""
    text = written_by()
    text += f"route {{\n    error {build.base_path}/.toolkit-deploy/* 404\n"
    for number, rule in reversed(list(enumerate(build.rules.all))):  # deferred: the outermost has the last word
        text += _headers(number, rule)
    text += _types(build)
    found = ordered(build.redirects)
    text += "".join(_redirect(number, one) for number, one in enumerate(found) if not one.is_prefix)
    text += _SERVER
    text += "".join(_redirect(number, one) for number, one in enumerate(found) if one.is_prefix)
    text += "    file_server\n}\n"
    missing = not_found_pages(build)
    if missing:
        text += f"handle_errors {{\n{''.join(_missing(*pair) for pair in missing.items())}}}\n"
    return HostForm(config={"site.caddy": text}, replaces_pages=True)


def _missing(begins: str, page: str) -> str:
    return f"    handle {begins}* {{\n        rewrite * {page}\n        file_server\n    }}\n"


def _headers(number: int, rule: HeaderRule) -> str:
    lines = "".join(f"    {name} {_quoted(value)}\n" if value else f"    -{name}\n" for name, value in rule.headers)
    return f"{_matcher(f'toolkit_headers_{number}', rule)}header @toolkit_headers_{number} {{\n{lines}    defer\n}}\n"


def _matcher(name: str, rule: HeaderRule) -> str:
    before, star, after = rule.pattern.partition("*")
    pattern = f"^{_regex(before)}{'.*' if star else ''}{_regex(after)}$"
    return f"@{name} path_regexp {name} {_quoted(pattern)}\n"


def _types(build: Build) -> str:
    usual, base = usual_types(build), build.base_path
    rules = [HeaderRule(f"{base}/*.{ending}", (("Content-Type", kind),)) for ending, kind in usual.items()]
    if "html" in usual:
        rules.append(HeaderRule(f"{base}/*/", (("Content-Type", usual["html"]),)))
        rules.append(HeaderRule(f"{base}/", (("Content-Type", usual["html"]),)))
    rules += [
        HeaderRule(file.url, (("Content-Type", file.headers["Content-Type"]),)) for file in odd_types(build, usual)
    ]
    text = ""
    for number, rule in reversed(list(enumerate(rules))):
        kind = rule.headers[0][1]
        name = f"toolkit_type_{number}"
        text += f"{_matcher(name, rule)}header @{name} {{\n    Content-Type {_quoted(kind)}\n    defer\n}}\n"
    return text


def _redirect(number: int, one: Redirect) -> str:
    name = f"toolkit_redirect_{number}"
    if not one.target:
        return f"{_path_matcher(name, one)}    error @{name} {one.status}\n"
    target = _target(one, name)
    if one.query or "?" in target:
        return f"{_path_matcher(name, one)}    redir @{name} {_quoted(target)} {one.status}\n"
    before, mark, fragment = _target(one, f"{name}_q").partition("#")
    target_q = f"{before}?{{query}}{mark}{fragment}"
    with_query = _path_matcher(f"{name}_q", one, expression='{query} != ""')
    return (
        f"{with_query}    redir @{name}_q {_quoted(target_q)} {one.status}\n"
        f"{_path_matcher(name, one)}    redir @{name} {_quoted(target)} {one.status}\n"
    )


def _path_matcher(name: str, one: Redirect, *, expression: str = "") -> str:
    path = _regex(unquote(one.prefix))
    if one.is_prefix:
        path += r"[/\\]*(.*)" if one.is_to_root else "(.*)"
    lines = f"        path_regexp {name} {_quoted(f'^{path}$')}\n"
    if one.is_prefix:
        lines += "        not file {path} {path}index.html\n"
    if one.query:
        pairs = [pair.partition("=") for pair in one.query.split("&")]
        expression = " && ".join(
            f"{{http.request.uri.query.{name}}} == {json.dumps(value)}" for name, _, value in pairs
        )
    if expression:
        lines += f"        expression `{expression}`\n"
    return f"    @{name} {{\n{lines}    }}\n"


def _target(one: Redirect, name: str) -> str:
    if "{" in one.target:
        raise DeployError(f"Caddy cannot redirect to {one.target}, which has a brace", hint="Encode it as %7B.")
    return one.target.replace(SPLAT, f"{{re.{name}.1}}")


def _regex(text: str) -> str:
    return re.sub(r"([.^$*+?()\[\]{}|\\])", r"\\\1", text)


def _quoted(text: str) -> str:
    if "`" not in text:
        return f"`{text}`"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
