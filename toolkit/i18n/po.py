"""Reading and writing PO files.

Babel's reader and writer are not used for this: measured with Babel 2.18, they drop ``X-Poedit-*`` headers
and the ``fuzzy`` of obsolete messages, turn ``#| msgid`` into a translator's note, keep the last of two
duplicates without a word, and stamp the time of the run. A translator's file has to come back as it was, so
it is read whole here, with the line of each message, and written in one canonical form. Format: GNU gettext
manual, "The Format of PO Files".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from toolkit.errors import CatalogError, Problems, ToolkitError

from .catalog import Catalog, Message
from .escapes import quote_lines, unquote

_CHARSET = re.compile(rb"charset=([\w.:+-]+)", re.IGNORECASE)
_KEYWORD = re.compile(r"(msgctxt|msgid_plural|msgid|msgstr)(?:\[(\d+)\])?\s*(\".*)\Z", re.DOTALL)
_ORDER = ("msgctxt", "msgid", "msgid_plural", "msgstr")
_LOCATION = re.compile(r"\u2068([^\u2069]*)\u2069(?::\d+)?|(\S+)")
_LINE_NUMBER = re.compile(r":\d+\Z")


def read_po(path: Path, *, locale: str | None = None) -> Catalog:
    """Read a PO or POT file.

    Raises:
        Problems: All that is wrong in it, each a ``CatalogError`` with its line.
        CatalogError: It cannot be read at all.
    """
    try:
        body = path.read_bytes()
    except OSError as problem:
        raise CatalogError(f"the catalog cannot be read: {problem.strerror}", path=path) from problem
    return parse_po(body, path=path, locale=locale)


def parse_po(body: bytes, *, path: Path | None = None, locale: str | None = None) -> Catalog:
    """Make a catalog of a PO file's bytes.

    Args:
        body: The file's content, in the charset that its header names (UTF-8 without one).
        path: Its name, for errors.
        locale: BCP 47 tag of the catalog; None for a template.

    Raises:
        Problems: All syntax errors and duplicates, each a ``CatalogError`` with its line.
        CatalogError: It is not text in its charset.
    """
    parser = _Parser(path)
    parser.parse(decode_po(body, path=path))
    if parser.problems:
        raise Problems(parser.problems)
    return parser.catalog(locale)


def decode_po(body: bytes, *, path: Path | None = None) -> str:
    """The text of a PO file.

    Raises:
        CatalogError: The charset is unknown, or a byte is not of it.
    """
    match = _CHARSET.search(body[:4096])
    charset = match[1].decode("ascii") if match else "utf-8"
    if charset in ("CHARSET", "utf-8", "UTF-8"):
        charset = "utf-8-sig"
    try:
        return body.decode(charset)
    except LookupError as problem:
        raise CatalogError(f"the charset {charset!r} is unknown", path=path, hint="Use UTF-8.") from problem
    except UnicodeDecodeError as problem:
        line = body.count(b"\n", 0, problem.start) + 1
        raise CatalogError(
            f"byte {body[problem.start]:#04x} is not {charset.removesuffix('-sig')}",
            path=path,
            line=line,
            hint="Save the file as UTF-8 and say charset=UTF-8 in its Content-Type header.",
        ) from problem


class _Draft:
    """A message while its lines are read."""

    __slots__ = ("comments", "flags", "line", "locations", "notes", "obsolete", "previous", "texts")

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self.notes: list[str] = []
        self.comments: list[str] = []
        self.locations: list[str] = []
        self.flags: list[str] = []
        self.previous: list[str] = []
        self.obsolete = False
        self.line = 0

    def has_translation(self) -> bool:
        return any(keyword.startswith("msgstr") for keyword in self.texts)

    def text(self, keyword: str) -> str | None:
        parts = self.texts.get(keyword)
        return None if parts is None else "".join(parts)


class _Parser:
    """One pass over the lines; after an error it goes on at the next empty line."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.problems: list[ToolkitError] = []
        self.messages: list[Message] = []
        self.header: Message | None = None
        self._seen: dict[tuple[bool, str | None, str], int] = {}
        self._draft = _Draft()
        self._keyword = ""
        self._skipping = False

    def catalog(self, locale: str | None) -> Catalog:
        header = self.header or Message("")
        return Catalog(
            messages=tuple(self.messages),
            header=parse_header(header.translations[0] if header.translations else ""),
            notes=header.notes,
            flags=header.flags,
            locale=locale,
            path=self.path,
        )

    def parse(self, text: str) -> None:
        for number, raw in enumerate(text.split("\n"), 1):
            line = raw.strip()
            if not line:
                self._skipping = False
            elif not self._skipping:
                self._read(line, number)
        self._finish()

    def _fail(self, message: str, number: int, hint: str | None = None) -> None:
        self.problems.append(CatalogError(message, path=self.path, line=number, hint=hint))
        self._draft, self._keyword, self._skipping = _Draft(), "", True

    def _read(self, line: str, number: int) -> None:
        if line[0] == '"':
            self._continue(line, number)
        elif line.startswith("#~|"):
            if self._start_comment(number):
                self._draft.previous.append(line[3:].strip())
        elif line.startswith("#~"):
            rest = line[2:].strip()
            if rest[:1] == '"':
                self._continue(rest, number)
            elif rest:
                self._read_keyword(rest, number, obsolete=True)
        elif line[0] == "#":
            self._read_comment(line, number)
        else:
            self._read_keyword(line, number, obsolete=False)

    def _start_comment(self, number: int) -> bool:
        """A comment after a translation belongs to the next message; none may stand inside of one."""
        if self._draft.has_translation():
            self._finish()
        elif self._draft.texts:
            self._fail("a comment inside a message", number, "Move it above the message.")
            return False
        return True

    def _read_comment(self, line: str, number: int) -> None:
        if not self._start_comment(number):
            return
        kind, rest, draft = line[1:2], line[2:].strip(), self._draft
        if kind == ":":
            draft.locations.extend(_split_locations(rest))
        elif kind == ",":
            draft.flags.extend(flag.strip() for flag in rest.split(",") if flag.strip())
        elif kind == ".":
            draft.comments.append(rest)
        elif kind == "|":
            draft.previous.append(rest)
        else:
            draft.notes.append(line[1:].strip())

    def _read_keyword(self, line: str, number: int, *, obsolete: bool) -> None:
        match = _KEYWORD.match(line)
        text = unquote(match[3]) if match else None
        if match is None or text is None:
            quoted = match is not None
            hint = 'Put the text between double quotes, and write quotes inside it as \\".' if quoted else None
            return self._fail(f"this line cannot be understood: {line[:60]!r}", number, hint)
        keyword = match[1]
        if keyword in ("msgctxt", "msgid") and self._draft.has_translation():
            self._finish()
        name = f"msgstr[{int(match[2])}]" if match[2] else keyword
        if name in self._draft.texts:
            missing = "msgid" if name.startswith("msgstr") else "msgstr"
            return self._fail(f"a second {name} in one message", number, f"Is a {missing} missing above it?")
        if self._keyword and _rank(name) < _rank(self._keyword):
            return self._fail(f"{name} after {self._keyword}", number, f"The order is: {', '.join(_ORDER)}.")
        if keyword == "msgid" or not self._draft.line:
            self._draft.line = number
        self._draft.obsolete = obsolete
        self._draft.texts[name] = [text]
        self._keyword = name

    def _continue(self, line: str, number: int) -> None:
        text = unquote(line)
        if text is None:
            self._fail(f"this text is not closed: {line[:60]!r}", number, "Each line ends with a double quote.")
        elif not self._keyword:
            self._fail(f"text without a keyword: {line[:60]!r}", number, "A msgid or msgstr comes first.")
        else:
            self._draft.texts[self._keyword].append(text)

    def _finish(self) -> None:
        draft, self._draft, self._keyword = self._draft, _Draft(), ""
        if not draft.texts:
            return
        msgid, plural = draft.text("msgid"), draft.text("msgid_plural")
        if msgid is None or not draft.has_translation():
            absent = "msgid" if msgid is None else "msgstr"
            self.problems.append(CatalogError(f"{absent} is missing", path=self.path, line=draft.line))
            return
        translations = self._translations(draft, plural)
        if translations is not None:
            self._add(draft, msgid, plural, translations)

    def _translations(self, draft: _Draft, plural: str | None) -> tuple[str, ...] | None:
        """``msgstr``, or ``msgstr[0]``, ``msgstr[1]``, … without a gap; None after a problem."""
        found = sum(keyword.startswith("msgstr") for keyword in draft.texts)
        names = ["msgstr"] if plural is None else [f"msgstr[{index}]" for index in range(found)]
        texts = [draft.text(name) for name in names]
        if len(texts) == found and None not in texts:
            return tuple(text for text in texts if text is not None)
        expected = "msgstr" if plural is None else "msgstr[0], msgstr[1], …"
        self.problems.append(
            CatalogError(f"this message takes {expected}, without gaps", path=self.path, line=draft.line)
        )
        return None

    def _add(self, draft: _Draft, msgid: str, plural: str | None, translations: tuple[str, ...]) -> None:
        message = Message(
            msgid,
            draft.text("msgctxt"),
            plural,
            tuple(dict.fromkeys(draft.locations)),
            tuple(draft.comments),
            translations,
            tuple(draft.notes),
            tuple(dict.fromkeys(draft.flags)),
            tuple(draft.previous),
            draft.obsolete,
            draft.line,
        )
        first = self._seen.setdefault((draft.obsolete, *message.key), draft.line)
        if first != draft.line:
            if draft.obsolete:  # harmless, and msgmerge itself can leave them
                return
            hint = f"Its first place is line {first}; keep one of the two."
            self.problems.append(
                CatalogError(f"{msgid[:60]!r} is there twice", path=self.path, line=draft.line, hint=hint)
            )
        elif message.key == (None, "") and not draft.obsolete:
            self.header = message
        else:
            self.messages.append(message)


def _rank(name: str) -> tuple[int, int]:
    """The place of a keyword in a message; ``msgstr[2]`` comes after ``msgstr[1]``."""
    keyword, _, index = name.partition("[")
    return _ORDER.index(keyword), int(index[:-1] or 0)


def _split_locations(text: str) -> Iterator[str]:
    """File names of a ``#:`` line, without line numbers; U+2068 and U+2069 enclose names with spaces."""
    for match in _LOCATION.finditer(text):
        yield match[1] or _LINE_NUMBER.sub("", match[2])


def parse_header(text: str) -> dict[str, str]:
    """The fields of a header entry, in their order."""
    fields: dict[str, str] = {}
    name = ""
    for line in text.split("\n"):
        before, colon, value = line.partition(":")
        if colon:
            name = before.strip()
            fields[name] = value.strip()
        elif line.strip() and name:
            fields[name] += " " + line.strip()
    return fields


def format_po(catalog: Catalog) -> str:
    """The catalog as the text of a PO file, in the one canonical form.

    Messages in use come sorted by msgid and context, then the obsolete ones. ``#:`` names files, one a line,
    never lines in them, so that code may move without a change here.
    """
    header = "".join(f"{name}: {value}\n" for name, value in catalog.header.items())
    head = [*_comment_lines("#", catalog.notes), *_flag_lines(catalog.flags), 'msgid ""']
    blocks = [head + quote_lines("msgstr", header)]
    ordered = sorted(catalog.messages, key=_order)
    blocks += [_format_message(message) for message in ordered]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _order(message: Message) -> tuple[bool, str, str]:
    return (message.obsolete, message.msgid, message.context or "")


def _format_message(message: Message) -> list[str]:
    mark = "#~ " if message.obsolete else ""
    lines = _comment_lines("#", message.notes)
    if not message.obsolete:
        lines += _comment_lines("#.", message.comments)
        lines += [f"#: {_format_location(location)}" for location in sorted(set(message.locations))]
    lines += _flag_lines(message.flags)
    lines += [f"{'#~|' if message.obsolete else '#|'} {line}" for line in message.previous]
    return lines + [mark + line for line in _text_lines(message)]


def _text_lines(message: Message) -> list[str]:
    lines = [] if message.context is None else quote_lines("msgctxt", message.context)
    lines += quote_lines("msgid", message.msgid)
    if message.plural is None:
        return lines + quote_lines("msgstr", "".join(message.translations[:1]))
    lines += quote_lines("msgid_plural", message.plural)
    for index, text in enumerate(message.translations or ("", "")):
        lines += quote_lines(f"msgstr[{index}]", text)
    return lines


def _comment_lines(mark: str, texts: tuple[str, ...]) -> list[str]:
    return [f"{mark} {line}".rstrip() for text in texts for line in text.split("\n")]


def _flag_lines(flags: tuple[str, ...]) -> list[str]:
    """``fuzzy`` first, as every tool writes it, the others by name."""
    ordered = sorted(set(flags), key=lambda flag: (flag != "fuzzy", flag))
    return [f"#, {', '.join(ordered)}"] if ordered else []


def _format_location(location: str) -> str:
    return f"\u2068{location}\u2069" if re.search(r"\s", location) else location
