"""Settings: one typed table that explains itself.

Values come from ``toolkit.toml`` at the root of the site's folder, overridden by ``TOOLKIT_*`` variables of the
environment. Everything else about settings, the frozen object, the command, the reference page and the messages, is
made from the table.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from toolkit.errors import Problems, SettingError, ToolkitError, did_you_mean
from toolkit.folders import FILE_NAME
from toolkit.trace import digest, record

PREFIX = "TOOLKIT_"
FOR_TESTS = ("TOOLKIT_TEST_", "TOOLKIT_CORPUS")
"""Variables that tests and benchmarks read; no settings."""

Check = Callable[[Any], str]
"""Says what is wrong with a value of the right type, or an empty text."""


class Numbers(list[int]):
    """The kind of settings that are lists of whole numbers."""


class Setting(msgspec.Struct, frozen=True):
    """One row of the table.

    Args:
        name: As written in ``toolkit.toml``.
        kind: ``str``, ``int``, ``bool``, ``list`` (of texts), ``Numbers`` or ``dict`` (of tables).
        default: The value when nobody says otherwise.
        help: What it is for, in a sentence.
        check: What else a value must meet.
        secret: Never shown.
        affects_pages: Whether pages may depend on it.
    """

    name: str
    kind: type
    default: Any
    help: str
    check: Check | None = None
    secret: bool = False
    affects_pages: bool = True


_BASE_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*/?")


def _check_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        return "it must be an absolute http or https URL, such as https://news.example"
    if not _BASE_PATH.fullmatch(parts.path) or not {".", ".."}.isdisjoint(parts.path.split("/")):
        return "its path may have letters, digits, '-', '.', '_' and '~', as in https://news.example/blog"
    return ""


def _check_timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        return "it is no time zone; write one of the IANA names, such as Europe/Madrid"
    return ""


_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")


def _check_locales(value: list[str]) -> str:
    if not value:
        return "there must be at least one locale; the first is the default"
    wrong = [item for item in value if not _LOCALE.fullmatch(item)]
    if wrong:
        return f"{wrong[0]!r} is no locale; write BCP 47 tags such as en, pt-BR or zh-Hant"
    repeated = [item for item in value if value.count(item) > 1]
    return f"{repeated[0]!r} stands twice" if repeated else ""


def _check_positive(value: int) -> str:
    return "" if value > 0 else "it must be above 0"


def _check_workers(value: int) -> str:
    return "" if value >= 0 else "it must be 0 or more"


def _check_widths(value: list[int]) -> str:
    if not value:
        return "there must be at least one width"
    wrong = [width for width in value if not 0 < width < 16_384]
    return f"{wrong[0]} is no width: it must be from 1 to 16383" if wrong else ""


_MINIFIED = ("css", "js", "html")


def _check_minify(value: list[str]) -> str:
    wrong = [name for name in value if name not in _MINIFIED]
    return f"{wrong[0]!r} is none of {', '.join(_MINIFIED)}" if wrong else ""


_COMPRESSED = ("br", "gz")


def _check_precompress(value: list[str]) -> str:
    wrong = [name for name in value if name not in _COMPRESSED]
    return f"{wrong[0]!r} is none of {', '.join(_COMPRESSED)}" if wrong else ""


_FORMATS = ("avif", "webp", "jpeg", "png")


_PLACEHOLDERS = ("none", "color", "blur")


def _check_formats(value: list[str]) -> str:
    wrong = [name for name in value if name not in _FORMATS]
    return f"{wrong[0]!r} is none of {', '.join(_FORMATS)}" if wrong else ""


def _check_placeholder(value: str) -> str:
    return "" if value in _PLACEHOLDERS else f"{value!r} is none of {', '.join(_PLACEHOLDERS)}"


def _check_quality(value: int) -> str:
    return "" if 1 <= value <= 100 else "it must be from 1 to 100"


def _check_url_path(value: str) -> str:
    return "" if value.startswith("/") and value.endswith("/") else "it must begin and end with a slash"


BUDGETS = ("html_kb", "images_kb", "total_kb", "third_party")
"""What a page has a budget for."""


def _check_budgets(value: dict[str, dict[str, Any]]) -> str:
    for route, budget in value.items():
        for name, most in budget.items():
            if name not in BUDGETS:
                return f"{route!r} has a budget for {name!r}; there is {', '.join(BUDGETS)}"
            if type(most) is not int or most < 0:
                return f"the {name} of {route!r} must be a whole number from 0"
    return ""


def _check_accepted(value: dict[str, dict[str, Any]]) -> str:
    for check, patterns in value.items():
        for pattern, reason in patterns.items():
            if not isinstance(reason, str) or not reason.strip():
                return f"the acceptance of {check} at {pattern!r} gives no reason; write one as its value"
    return ""


TABLE: tuple[Setting, ...] = (
    Setting("site", str, "", "The Site object, as module:name.", affects_pages=False),
    Setting("title", str, "Untitled", "The publication's name."),
    Setting("base_url", str, "http://localhost:8000", "Where the site is published.", _check_url),
    Setting("locales", list, ["en"], "The languages of the site; the first is the default.", _check_locales),
    Setting(
        "timezone", str, "UTC", "The time zone that dates are shown in, and that times in files have.", _check_timezone
    ),
    Setting("database", str, "sqlite:///site.db", "The database's URL.", secret=True, affects_pages=False),
    Setting(
        "databases",
        dict,
        {},
        "Further databases, by name: url, read_only, replica_of, atomic_requests.",
        secret=True,
        affects_pages=False,
    ),
    Setting(
        "atomic_requests",
        bool,
        False,
        "What a view writes is one transaction: an error takes all of it back.",
        affects_pages=False,
    ),
    Setting("output", str, "build", "The folder that builds are written to.", affects_pages=False),
    Setting("templates", str, "templates", "The folder of the site's own templates.", affects_pages=False),
    Setting("static", str, "static", "The folder of assets, published under fingerprinted names.", affects_pages=False),
    Setting("public", str, "public", "The folder of files published as they are, at the root.", affects_pages=False),
    Setting(
        "storages", dict, {}, "Where the files of file fields are kept, by name.", secret=True, affects_pages=False
    ),
    Setting(
        "deploy", dict, {}, "Where 'toolkit deploy' puts builds, by name: to, url, host, releases.", affects_pages=False
    ),
    Setting(
        "headers",
        dict,
        {},
        'HTTP headers by path: [headers."/fonts/*"].',
        affects_pages=False,
    ),
    Setting("redirects", str, "redirects.csv", "The CSV file with redirects: from, to, status.", affects_pages=False),
    Setting("locale_folder", str, "locale", "The folder of the site's own catalogs.", affects_pages=False),
    Setting("static_url", str, "/static/", "The URL under which assets are published.", _check_url_path),
    Setting("minify", list, [], "What is made smaller: css, js, html.", _check_minify),
    Setting(
        "css_browsers",
        list,
        [],
        "Browsers that smaller stylesheets are written for: 'safari >= 14'.",
        affects_pages=False,
    ),
    Setting("bundle_css", bool, False, "Put stylesheets in the places where others import them.", affects_pages=False),
    Setting("made_assets", dict, {}, "Assets that are made by commands or of other files.", affects_pages=False),
    Setting(
        "bundler",
        str,
        "bun build --target=browser --format=esm {input}",
        "The command that bundles scripts, where made_assets ask for it.",
        affects_pages=False,
    ),
    Setting("precompress", list, [], "Compressed files beside texts: br, gz.", _check_precompress),
    Setting("renditions", str, ".toolkit/renditions", "The folder in which made images are kept.", affects_pages=False),
    Setting("renditions_url", str, "/renditions/", "The URL under which made images are published.", _check_url_path),
    Setting("image_widths", Numbers, Numbers([400, 800, 1200, 1600]), "Widths of images, in pixels.", _check_widths),
    Setting("image_sizes", str, "100vw", "How wide images stand on pages that do not say it."),
    Setting("image_formats", list, ["avif", "webp"], "Formats of images beside the original's.", _check_formats),
    Setting("avif_quality", int, 55, "Quality of AVIF images, 1 to 100.", _check_quality),
    Setting("webp_quality", int, 78, "Quality of WebP images, 1 to 100.", _check_quality),
    Setting("jpeg_quality", int, 82, "Quality of JPEG images, 1 to 100.", _check_quality),
    Setting("image_placeholder", str, "none", "What is seen until an image is there.", _check_placeholder),
    Setting("image_max_pixels", int, 100_000_000, "Images of more pixels are refused.", _check_positive),
    Setting("markdown_images", bool, False, "Show static images in Markdown in several sizes and formats."),
    Setting("raw_html", bool, False, "Trust HTML inside Markdown, rather than clean it."),
    Setting("complete_locales", list, [], "Locales in which a missing translation is a problem for 'toolkit check'."),
    Setting("strict_queries", bool, False, "Refuse queries in templates that were not planned.", affects_pages=False),
    Setting(
        "budgets",
        dict,
        {},
        "What pages may weigh, by route or for all as 'default': html_kb, images_kb, total_kb, and third_party, the "
        "number of other hosts that they may ask: none unless said here. 'toolkit check' holds them to it.",
        _check_budgets,
        affects_pages=False,
    ),
    Setting(
        "accepted",
        dict,
        {},
        "Findings of 'toolkit check' that are meant to be: by check, a pattern of URLs or files and the reason.",
        _check_accepted,
        affects_pages=False,
    ),
    Setting(
        "workers",
        int,
        0,
        "Processes that render; 0 means one for each core.",
        check=_check_workers,
        affects_pages=False,
    ),
    Setting(
        "secret_key",
        str,
        "",
        "For what your own views sign; the toolkit signs nothing yet.",
        secret=True,
        affects_pages=False,
    ),
    Setting(
        "server_application",
        str,
        "toolkit.server.application:Application",
        "What answers HTTP, as module:name.",
        affects_pages=False,
    ),
)
BY_NAME: Mapping[str, Setting] = {setting.name: setting for setting in TABLE}


class Source(msgspec.Struct, frozen=True):
    """Where a value came from: ``default``, ``toolkit.toml:7`` or ``TOOLKIT_TITLE``."""

    text: str


class Settings:
    """The settings of one site: attributes by name, frozen.

    Reading one while a page renders is recorded in the page's trace.

    Args:
        values: Name to value, for every row of the table.
        sources: Name to where the value came from.
    """

    def __init__(self, values: Mapping[str, Any], sources: Mapping[str, str]) -> None:
        self.__dict__["_values"] = dict(values)
        self.__dict__["_sources"] = dict(sources)
        self.__dict__["_digests"] = {name: digest(value) for name, value in values.items()}

    def __getattr__(self, name: str) -> Any:
        values = self.__dict__["_values"]
        if name not in values:
            raise AttributeError(f"there is no setting {name!r}. {did_you_mean(name, values)}")
        record("setting", (name,), self.__dict__["_digests"][name])
        return values[name]

    def __setattr__(self, name: str, value: Any) -> None:
        raise SettingError(f"the setting {name!r} cannot be changed while the site runs", hint=f"Edit {FILE_NAME}.")

    def __dir__(self) -> list[str]:
        return list(self._values)

    def source(self, name: str) -> str:
        """Where a value came from."""
        return str(self._sources[name])

    def peek(self, name: str) -> Any:
        """A value, without a record in any trace: for the machinery, not for pages."""
        return self.__dict__["_values"][name]

    def digest_of(self, name: str) -> bytes:
        """What a trace would record of a setting today."""
        values = self.__dict__["_values"]
        return digest(values[name]) if name in values else b""


def load_settings(
    folder: Path, *, environment: Mapping[str, str] | None = None, overrides: Mapping[str, Any] | None = None
) -> Settings:
    """The settings of the site in a folder.

    Args:
        folder: The folder with ``toolkit.toml``.
        environment: Variables; those of the process unless given.
        overrides: Values said in code or on the command line; they win.

    Raises:
        Problems: Every value that is unknown, of the wrong type or out of bounds.
    """
    environment = os.environ if environment is None else environment
    values = {setting.name: setting.default for setting in TABLE}
    sources = dict.fromkeys(values, "default")
    problems: list[ToolkitError] = []
    path = folder / FILE_NAME
    text = _read(path)
    for name, value in _parse(path, text).items():
        line = _line_of(text, name)
        _take(values, sources, name, value, f"{FILE_NAME}:{line}", problems, path=path, line=line)
    for variable, raw in sorted(environment.items()):
        if variable.startswith(PREFIX) and not variable.startswith(FOR_TESTS):
            _take_variable(values, sources, variable, raw, problems)
    for name, value in (overrides or {}).items():
        _take(values, sources, name, value, "code", problems)
    if problems:
        raise Problems(
            problems, summary=f"{len(problems)} settings are wrong" if len(problems) > 1 else "a setting is wrong"
        )
    return Settings(values, sources)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")  # some editors write the mark
    except FileNotFoundError:
        raise SettingError(
            f"there is no {FILE_NAME} in {path.parent}",
            hint="Name the site's folder with --site, or make one: toolkit new.",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"it cannot be read: {error}", path=path) from error


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+), column (\d+)", str(error))
        line, column = (int(found[1]), int(found[2])) if found else (None, None)
        raise SettingError(f"not TOML: {error}", path=path, line=line, column=column) from error


def _line_of(text: str, name: str) -> int:
    pattern = re.compile(rf"""\s*(["']?){re.escape(name)}\1\s*(=|\.)""")
    table = re.compile(rf"\s*\[\s*{re.escape(name)}\b")
    for number, line in enumerate(text.splitlines(), 1):
        if pattern.match(line) or table.match(line):
            return number
    return 1


_KINDS = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    list: "a list of texts",
    Numbers: "a list of whole numbers",
    dict: "a table of tables, such as name = {…}",
}


def _take(
    values: dict[str, Any],
    sources: dict[str, str],
    name: str,
    value: Any,
    source: str,
    problems: list[ToolkitError],
    *,
    path: Path | None = None,
    line: int | None = None,
) -> None:
    """Check one value, and put it in its place or a problem on the list."""
    setting = BY_NAME.get(name)
    if setting is None:
        message = f"there is no setting {name!r}" + ("" if path else f" ({source})")
        problems.append(SettingError(message, path=path, line=line, hint=did_you_mean(name, BY_NAME)))
        return
    wrong = _wrong_type(setting, value) or (setting.check(value) if setting.check else "")
    if wrong:
        shown = "its value" if setting.secret else repr(value)
        where = "" if path else f" ({source})"
        problems.append(SettingError(f"{name} = {shown}{where}: {wrong}", path=path, line=line))
        return
    values[name], sources[name] = value, source


def _wrong_type(setting: Setting, value: Any) -> str:
    if setting.kind is list:
        right = isinstance(value, list) and all(isinstance(item, str) for item in value)
    elif setting.kind is Numbers:
        right = isinstance(value, list) and all(type(item) is int for item in value)
    elif setting.kind is dict:
        right = isinstance(value, dict) and all(isinstance(item, dict) for item in value.values())
    else:
        right = type(value) is setting.kind
    if right:
        return ""
    hint = " Remove the quotes." if isinstance(value, str) and setting.kind in (int, bool) else ""
    return f"expected {_KINDS[setting.kind]}.{hint}"


def _take_variable(
    values: dict[str, Any], sources: dict[str, str], variable: str, raw: str, problems: list[ToolkitError]
) -> None:
    name = variable.removeprefix(PREFIX).lower()
    setting = BY_NAME.get(name)
    value: Any = raw
    if setting is not None and setting.kind is int:
        value = int(raw) if re.fullmatch(r"-?\d+", raw.strip()) else raw
    elif setting is not None and setting.kind is bool:
        value = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(raw.lower(), raw)
    elif setting is not None and setting.kind is list:
        value = [item.strip() for item in raw.split(",") if item.strip()]
    elif setting is not None and setting.kind is Numbers:
        parts = [item.strip() for item in raw.split(",") if item.strip()]
        value = [int(item) if item.isdigit() else item for item in parts]
    elif setting is not None and setting.kind is dict:
        with suppress(ValueError):
            value = json.loads(raw)
    _take(values, sources, name, value, variable, problems)
