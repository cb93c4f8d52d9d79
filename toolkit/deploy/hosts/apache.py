"""Apache: ``.htaccess`` at the root. Needs mod_rewrite, mod_headers and mod_mime, and ``AllowOverride All``.

Source: httpd.apache.org/docs/2.4, mod_rewrite, mod_headers, mod_mime, mod_dir.
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
from toolkit.site.headers import HeaderRule
from toolkit.site.redirects import SPLAT, Redirect

_BEFORE = """\
AddDefaultCharset Off
Options -Indexes -MultiViews
DirectoryIndex index.html
DirectorySlash Off
RewriteEngine On
RewriteRule "^[.]toolkit-deploy(/|$)" - [R=404,L]
RewriteCond %{{THE_REQUEST}} "^[A-Z]+ [^? ]*/index[.]html[? ]"
RewriteCond %{{REQUEST_FILENAME}} -f
RewriteRule "^(.*/)?index[.]html$" "{base}/$1" [R=308,L,NE]
RewriteCond %{{DOCUMENT_ROOT}}{base}/$1/index.html -f
RewriteRule "^(.*[^/])$" "{base}/$1/" [R=308,L]
"""

_ITSELF = 'RedirectMatch 308 "^{base}$" "{base}/"\n'
"""mod_rewrite does not see the folder without a slash."""


def apache_form(build: Build) -> HostForm:
    """For Apache."""
    missing = not_found_pages(build)
    base = build.base_path
    text = written_by() + "".join(_missing(begins, page, base) for begins, page in reversed(missing.items()))
    text += _BEFORE.format(base=base) + (_ITSELF.format(base=base) if base else "")
    text += "".join(_rewrite(one, base) for one in ordered(build.redirects))
    usual = usual_types(build)
    text += "".join(f"AddType {_quoted(kind)} .{ending}\n" for ending, kind in usual.items())
    text += "".join(_headers(rule) for rule in build.rules.all)
    text += "".join(_type(file.url, file.headers["Content-Type"]) for file in odd_types(build, usual))
    return HostForm(files={".htaccess": text.encode()}, replaces_pages=True)


def _missing(begins: str, page: str, base: str) -> str:
    if begins == f"{base}/":
        return f"ErrorDocument 404 {page}\n"
    return f'<If "{_asked(f"{begins}*")}">\n    ErrorDocument 404 {page}\n</If>\n'


def _rewrite(one: Redirect, base: str) -> str:
    """A redirect; its pattern is matched against what comes after the folder that ``.htaccess`` is in."""
    source = re.escape(unquote(one.prefix.removeprefix(base)).lstrip("/")).replace('"', '\\"')
    conditions = "".join(
        f'RewriteCond %{{QUERY_STRING}} "(^|&){re.escape(pair)}(&|$)"\n' for pair in one.query.split("&") if pair
    )
    if one.is_prefix:
        conditions += "RewriteCond %{REQUEST_FILENAME} !-f\nRewriteCond %{REQUEST_FILENAME}/index.html !-f\n"
    if not one.target:
        return f'{conditions}RewriteRule "^{source}{"" if one.is_prefix else "$"}" - [G]\n'
    target = one.target.replace("%", "\\%").replace("$", "\\$").replace(SPLAT, "$1")
    flags = f"R={one.status},L,NE" + (",QSD" if one.query and "?" not in one.target else "")
    if one.is_prefix:
        source += r"[/\\\\]*(.*)" if one.is_to_root else "(.*)"
    before, mark, fragment = target.partition("#")
    with_query = ""
    if mark and not one.query and "?" not in target:  # Apache would put the query behind the fragment
        asked = f'{conditions}RewriteCond %{{QUERY_STRING}} "^(.+)$"\n'
        with_query = f'{asked}RewriteRule "^{source}$" "{before}?%1#{fragment}" [{flags}]\n'
    return f'{with_query}{conditions}RewriteRule "^{source}$" "{target}" [{flags}]\n'


def _headers(rule: HeaderRule) -> str:
    lines = "".join(
        f"    Header always set {name} {_quoted(value.replace('%', '%%'))}\n"
        if value
        else f"    Header always unset {name}\n"
        for name, value in rule.headers
    )
    return f'<If "{_asked(rule.pattern)}">\n{lines}</If>\n'


def _asked(pattern: str) -> str:
    """A condition on what the client asked for: the file that is found has another path, such as that of an index."""
    before, star, after = pattern.partition("*")
    path = _escaped(encoded_path(before)) + ("[^? ]*" if star else "") + _escaped(encoded_path(after))
    return f"%{{THE_REQUEST}} =~ m#^[A-Z]+ {path}[? ]#"


def _escaped(text: str) -> str:
    return re.escape(text).replace("\\/", "/").replace("#", "\\x23").replace('"', "\\x22")


def _type(url: str, kind: str) -> str:
    return f'<If "{_asked(url)}">\n    ForceType {_quoted(kind)}\n</If>\n'


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
