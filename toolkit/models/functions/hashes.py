"""Hashes of texts."""

from __future__ import annotations

from typing import Any

from toolkit.errors import FieldError
from toolkit.models.fields import TextField
from toolkit.models.functions.text import TextTransform, call


class _Hash(TextTransform):
    """A hash of a text in UTF-8, in small hexadecimal digits."""

    @classmethod
    def on(cls, dialect: str, *arguments: Any) -> Any:
        import sqlalchemy as sa

        name = cls.__name__.lower()
        if dialect == "sqlite":
            return call(f"toolkit_{name}", *arguments)
        if name == "md5":
            return call(name, *arguments)
        if dialect == "postgresql":
            return cls._on_postgresql(name, *arguments)
        if name == "sha1":
            return call(name, *arguments)
        return call("sha2", *arguments, sa.literal_column(name.removeprefix("sha")))

    @staticmethod
    def _on_postgresql(name: str, text: Any) -> Any:
        import sqlalchemy as sa

        if name == "sha1":
            raise FieldError(
                "SHA1() is not possible on PostgreSQL, which has it in the extension pgcrypto only",
                hint="Use SHA256().",
            )
        # convert_to() is by the settings of who asks, and generated columns take no such function
        backslash: Any = sa.literal_column(r"'\'")
        doubled: Any = sa.literal_column(r"'\\'")
        written = sa.cast(sa.func.replace(text, backslash, doubled), sa.LargeBinary())
        return call("encode", getattr(sa.func, name)(written), sa.literal_column("'hex'"))

    @classmethod
    def output(cls, context: Any) -> Any:
        return TextField(null=True)


class MD5(_Hash):
    """The MD5 hash of a text, in hexadecimal digits."""

    lookup_name = "md5"


class SHA1(_Hash):
    """The SHA-1 hash of a text, in hexadecimal digits; not on PostgreSQL."""

    lookup_name = "sha1"


class SHA224(_Hash):
    """The SHA-224 hash of a text, in hexadecimal digits."""

    lookup_name = "sha224"


class SHA256(_Hash):
    """The SHA-256 hash of a text, in hexadecimal digits."""

    lookup_name = "sha256"


class SHA384(_Hash):
    """The SHA-384 hash of a text, in hexadecimal digits."""

    lookup_name = "sha384"


class SHA512(_Hash):
    """The SHA-512 hash of a text, in hexadecimal digits."""

    lookup_name = "sha512"
