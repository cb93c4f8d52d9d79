"""Fields that hold addresses of machines and of files."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Literal, TypeVar, Unpack, overload

from toolkit.errors import DeclarationError
from toolkit.i18n import gettext_lazy
from toolkit.models.fields.base import Field, FieldOptions
from toolkit.models.fields.text import CharField
from toolkit.models.text_lookups import TEXT
from toolkit.trace import current
from toolkit.validators.base import refusal

T = TypeVar("T")

_NOT_AN_ADDRESS = gettext_lazy("%(shown)s is not an IP address")
_NOT_IPV4 = gettext_lazy("%(shown)s is not an IPv4 address")
_NOT_IPV6 = gettext_lazy("%(shown)s is not an IPv6 address")
_NAMES_INTERFACE = gettext_lazy("%(shown)s names a network interface; an address alone is kept")
_NO_SUCH_FILE = gettext_lazy("%(shown)s is no file that can be chosen from %(folder)s")
_WRITE_PATH = gettext_lazy("Write the path as it is from the site's folder, with '/'.")
_NO_FOLDER = gettext_lazy("the folder %(value)s does not exist")
_MAKE_FOLDER = gettext_lazy("Make it.")

IPProtocol = Literal["both", "IPv4", "IPv6"]
_LONGEST_ADDRESS = 39


class GenericIPAddressField(Field[T]):
    """An IPv4 or IPv6 address, as text. IPv6 is kept in its shortest form (RFC 5952).

    Args:
        protocol: ``"both"``, ``"IPv4"`` or ``"IPv6"``.
        unpack_ipv4: Keep ``::ffff:192.0.2.1`` as ``192.0.2.1``; with ``"both"`` only.
    """

    lookups = TEXT
    empty: ClassVar[str] = ""

    @overload
    def __init__(
        self: GenericIPAddressField[str],
        *,
        protocol: IPProtocol = "both",
        unpack_ipv4: bool = False,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: GenericIPAddressField[str | None],
        *,
        protocol: IPProtocol = "both",
        unpack_ipv4: bool = False,
        null: Literal[True],
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(
        self,
        *,
        protocol: IPProtocol = "both",
        unpack_ipv4: bool = False,
        null: bool = False,
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(null=null, **options)
        self.protocol, self.unpack_ipv4 = protocol, unpack_ipv4

    def check(self) -> None:
        if self.protocol not in ("both", "IPv4", "IPv6"):
            raise DeclarationError(
                f"{self.model.__name__}.{self.name}: protocol = {self.protocol!r}",
                hint="Use 'both', 'IPv4' or 'IPv6'.",
            )
        if self.unpack_ipv4 and self.protocol != "both":
            raise DeclarationError(
                f"{self.model.__name__}.{self.name}: unpack_ipv4 needs protocol='both', not {self.protocol!r}"
            )

    def to_python(self, value: Any) -> Any:
        text = str(value).strip()
        try:
            address = ipaddress.ip_address(text)
        except ValueError as error:
            raise refusal(_NOT_AN_ADDRESS, value) from error
        if isinstance(address, ipaddress.IPv4Address):
            return str(address)
        if address.scope_id is not None:
            raise refusal(_NAMES_INTERFACE, value)
        if address.ipv4_mapped is None:
            return str(address)
        return str(address.ipv4_mapped) if self.unpack_ipv4 else f"::ffff:{address.ipv4_mapped}"

    def _clean_empty(self, value: Any) -> Any:
        """None where it may be: an empty text is no address, and would not be found by ``isnull``."""
        found = super()._clean_empty(value)
        return None if self.null else found

    def validate(self, value: Any) -> None:
        found = "IPv6" if ":" in value else "IPv4"
        if self.protocol not in ("both", found):
            raise refusal(_NOT_IPV4 if self.protocol == "IPv4" else _NOT_IPV6, value)

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.String(_LONGEST_ADDRESS)


class FilePathField(CharField[T]):
    """The path of a file in a folder of the site, as text: ``maps/harbour.svg``.

    Args:
        path: The folder, relative to the site's own folder; or a function that gives it.
        match: A regular expression that a file's name has to contain a match of.
        recursive: Files of folders below, too.
        allow_files: Files may be chosen.
        allow_folders: Folders may be chosen.
        max_length: The most characters.
    """

    def __init__(
        self,
        *,
        path: str | Callable[[], str],
        match: str | None = None,
        recursive: bool = False,
        allow_files: bool = True,
        allow_folders: bool = False,
        max_length: int = 100,
        null: bool = False,
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(max_length=max_length, null=null, **options)  # type: ignore[call-overload, misc]  # null is a bool here
        self.path, self.match, self.recursive = path, match, recursive
        self.allow_files, self.allow_folders = allow_files, allow_folders

    def check(self) -> None:
        super().check()
        if not (self.allow_files or self.allow_folders):
            raise DeclarationError(f"{self.model.__name__}.{self.name}: neither files nor folders may be chosen")
        if self.match is not None:
            re.compile(self.match)

    def fitted(self, value: Any) -> Any:
        value = self.to_python(value)
        super().validate(value)  # which files there are is asked when somebody chooses one
        return value

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value not in self.found():
            raise refusal(_NO_SUCH_FILE, value, code="invalid_choice", hint=_WRITE_PATH, folder=self._folder())

    def found(self) -> list[str]:
        """The paths that may be chosen, in order, relative to the site's folder."""
        folder = self._folder()
        pattern = re.compile(self.match) if self.match else None
        names = (path for path in self._paths(folder) if pattern is None or pattern.search(path.name))
        base = PurePosixPath(self._declared_path())
        return sorted(str(base / path.relative_to(folder).as_posix()) for path in names)

    def _paths(self, folder: Path) -> Iterator[Path]:
        if not folder.is_dir():
            raise refusal(_NO_FOLDER, folder, hint=_MAKE_FOLDER)
        for path in folder.rglob("*") if self.recursive else folder.iterdir():
            if (self.allow_files and path.is_file()) or (self.allow_folders and path.is_dir()):
                yield path

    def _declared_path(self) -> str:
        return str(self.path() if callable(self.path) else self.path)

    def _folder(self) -> Path:
        scope = current.get()
        site = scope.site if scope is not None else None
        return Path(os.fspath(site.folder) if site is not None else ".") / self._declared_path()
