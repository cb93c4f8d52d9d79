"""nginx: ``maps.conf`` for the ``http`` block, ``site.conf`` for the ``server`` block.

Sources: nginx.org, ngx_http_map_module, ngx_http_core_module (``location``, ``try_files``, ``types``),
ngx_http_rewrite_module.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from toolkit.deploy.files import Build
from toolkit.deploy.hosts.form import (
    HostForm,
    encoded_path,
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
absolute_redirect off;
location ^~ {base}/.toolkit-deploy/ {{ return 404; }}
etag on;
{errors}
{itself}location ~ "^(?<toolkit_folder>{begins}/(?:.*/)?)index[.]html$" {{
    if (-f $request_filename) {{ return 308 "$toolkit_folder$is_args$args"; }}
    try_files /.toolkit-none @toolkit_elsewhere;
}}
location {base}/ {{
    try_files $uri ${{uri}}index.html @toolkit_elsewhere;
}}
location @toolkit_elsewhere {{
    if (-f "$request_filename/index.html") {{ return 308 "$toolkit_path/$is_args$args"; }}
{prefixes}    return 404;
}}
"""


def nginx_form(build: Build) -> HostForm:
    """For nginx, whose configuration lies outside of what it serves.

    Raises:
        DeployError: A header has a dollar sign, which its configuration cannot express.
    """
    found = ordered(build.redirects)
    site = written_by() + _types(build) + _added_headers(build)
    site += "".join(_exact(source, group) for source, group in _grouped(found).items())
    site += "".join(_odd(file.url, file.headers["Content-Type"]) for file in odd_types(build, usual_types(build)))
    prefixes = "".join(f"    {_prefix(one)}\n" for one in found if one.is_prefix)
    errors = "error_page 404 $toolkit_missing;" if not_found_pages(build) else ""
    base = build.base_path
    itself = f"location = {base} {{ return 308 {base}/$is_args$args; }}\n" if base else ""
    site += _SERVER.format(base=base, begins=_regex(base), itself=itself, errors=errors, prefixes=prefixes)
    return HostForm(config={"maps.conf": written_by() + _maps(build), "site.conf": site}, replaces_pages=True)


def _header_names(build: Build) -> list[str]:
    names: dict[str, str] = {}
    for rule in build.rules.all:
        for name, _ in rule.headers:
            names.setdefault(name.lower(), name)
    return list(names.values())


def _variable(name: str) -> str:
    return f"$toolkit_{re.sub('[^a-z0-9]', '_', name.lower())}"


def _maps(build: Build) -> str:
    text = 'map $request_uri $toolkit_path {\n    "~^(?<toolkit_found>[^?]*)" $toolkit_found;\n}\n'
    missing = not_found_pages(build).items()
    if missing:
        lines = [f'    "~^{_regex(encoded_path(begins))}" {_quoted(page)};\n' for begins, page in missing]
        text += f"map $toolkit_path $toolkit_missing {{\n    default {build.base_path}/404.html;\n{''.join(lines)}}}\n"
    for name in _header_names(build):
        lines = []
        for rule in reversed(build.rules.all):  # the first that fits wins here, and the last in the list
            value = next((value for given, value in rule.headers if given.lower() == name.lower()), None)
            if value is not None:
                lines.append(f'    "~{_pattern(rule)}" {_quoted(value, variables=False)};\n')
        text += f'map $toolkit_path {_variable(name)} {{\n    default "";\n{"".join(lines)}}}\n'
    return text


def _pattern(rule: HeaderRule) -> str:
    before, star, after = encoded_path(rule.pattern).replace("%2A", "*").partition("*")
    return f"^{_regex(before)}{'.*' if star else ''}{_regex(after)}$"


def _regex(text: str) -> str:
    return "".join(
        char if re.match(r"[A-Za-z0-9/_~%-]", char) else f"[{char}]" if char != "^" else r"\\^" for char in text
    )


def _quoted(text: str, *, variables: bool = True) -> str:
    if "$" in text and not variables:
        raise DeployError(f"nginx cannot send a header with a dollar sign: {text}", hint="Write it another way.")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _types(build: Build) -> str:
    lines = [f"    {_quoted(kind)} {ending};\n" for ending, kind in usual_types(build).items()]
    return f'types {{\n{"".join(lines)}}}\ndefault_type "application/octet-stream";\n'


def _added_headers(build: Build) -> str:
    return "".join(f"add_header {name} {_variable(name)} always;\n" for name in _header_names(build))


def _odd(url: str, kind: str) -> str:
    served = f"types {{}} default_type {_quoted(kind)}; try_files ${{uri}} ${{uri}}index.html =404;"
    return f"location = {_quoted(url)} {{ {served} }}\n"


def _grouped(found: list[Redirect]) -> dict[str, list[Redirect]]:
    """Single paths, each with its redirects in order."""
    groups: dict[str, list[Redirect]] = {}
    for one in found:
        if not one.is_prefix:
            groups.setdefault(one.source, []).append(one)
    return groups


def _exact(source: str, group: list[Redirect]) -> str:
    lines = "".join(f"    {_return(one)}\n" for one in group)
    last = group[-1]
    if last.query:  # any other query meets the page that is there, or nothing
        lines += "    try_files $uri ${uri}index.html @toolkit_elsewhere;\n"
    return f"location = {_quoted(unquote(source))} {{\n{lines}}}\n"


def _return(one: Redirect) -> str:
    done = f"return {one.status}{f' {_target(one)}' if one.target else ''};"
    pairs = [pair.partition("=") for pair in one.query.split("&")] if one.query else []
    if not pairs:
        return done
    marks = "x" * len(pairs)
    tests = "".join(
        f' if ($arg_{name} = {_quoted(value)}) {{ set $toolkit_query "${{toolkit_query}}x"; }}'
        for name, _, value in pairs
    )
    return f'set $toolkit_query "";{tests} if ($toolkit_query = "{marks}") {{ {done} }}'


def _target(one: Redirect) -> str:
    keeps = not one.query and "?" not in one.target
    target = one.target.replace("$", "%24") if not one.is_prefix else one.target
    before, mark, fragment = target.partition("#")
    return _quoted(f"{before}{'$is_args$args' if keeps else ''}{mark}{fragment}")


def _prefix(one: Redirect) -> str:
    if not one.target:
        return f'if ($toolkit_path ~ "^{_regex(one.prefix)}") {{ return {one.status}; }}'
    keeps = "" if "?" in one.target else "$is_args$args"
    before, mark, fragment = one.target.replace("$", "%24").replace(SPLAT, "$toolkit_splat").partition("#")
    target = _quoted(f"{before}{keeps}{mark}{fragment}")
    begins = _regex(one.prefix) + (r"(?:[/\\\\]|%2[Ff]|%5[Cc])*" if one.is_to_root else "")
    return f'if ($toolkit_path ~ "^{begins}(?<toolkit_splat>.*)$") {{ return {one.status} {target}; }}'
