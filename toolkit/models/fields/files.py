"""Fields that hold a file: the column keeps its name, a storage keeps the file.

A file that is given to an instance is stored when the instance is saved. What a page reads of it (its size, its
content, its dimensions, its URL) is an input of the page, so an exchanged file renders the page anew.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar, Unpack, overload

from toolkit.errors import DeclarationError, StorageError
from toolkit.i18n import gettext_lazy, ngettext_lazy
from toolkit.models.fields.base import Field, FieldOptions
from toolkit.models.text_lookups import TEXT, refuse_unsound
from toolkit.storage import File, Storage
from toolkit.storage.names import check_name
from toolkit.storage.registry import DEFAULT
from toolkit.trace import current, record
from toolkit.validators.base import refusal

UploadTo = str | Path | Callable[[Any, str], str]

_NOT_A_NAME = gettext_lazy("%(shown)s is not the name of a file")
_NO_STORED_NAME = gettext_lazy("%(shown)s cannot be the name of a stored file")
_NAME_TOO_LONG = ngettext_lazy(
    "the name has %(length)d characters; at most %(max)d is allowed",
    "the name has %(length)d characters; at most %(max)d are allowed",
    "max",
)


class FieldFile(File):
    """The file of one instance, or none: ``if story.photo: story.photo.url``.

    Args:
        instance: The instance.
        field: Its field.
        name: The file's name in the storage; empty if there is no file.
    """

    def __init__(self, instance: Any, field: FileField, name: str) -> None:
        super().__init__(None, name)
        self.instance, self.field = instance, field
        self.committed = True

    def __eq__(self, other: object) -> bool:
        return self.name == (other.name if isinstance(other, FieldFile) else other)

    def __hash__(self) -> int:
        return hash(self.name)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restored, (self.field.model, self.field.name, self.name))

    @property
    def storage(self) -> Storage:
        """Where the file is."""
        return self.field.get_storage()

    def _require(self) -> None:
        if not self.name:
            raise StorageError(
                f"{self.field.label} has no file", hint="Ask first: {% if story.photo %}, or 'if story.photo:'."
            )

    def _note(self) -> None:
        """Say to the trace of the page that the file was looked at."""
        scope = current.get()
        if scope is not None and scope.trace is not None and isinstance(self.field.storage, str):
            record("stored", (self.field.storage, self.name), self.storage.digest_of(self.name))

    @property
    def url(self) -> str:
        """Where the file is published.

        Raises:
            StorageError: There is no file, or the storage publishes none.
        """
        self._require()
        self._note()
        return self.storage.url(self.name)

    @property
    def path(self) -> str:
        """The file on this machine.

        Raises:
            StorageError: There is none.
        """
        self._require()
        self._note()
        return str(self.storage.path(self.name))

    @property
    def size(self) -> int:
        """Bytes."""
        self._require()
        if not self.committed:
            return super().size
        self._note()
        return self.storage.size(self.name)

    def open(self) -> File:
        """The file, to be read from its beginning."""
        self._require()
        if self.committed:
            self._note()
            return self.storage.open(self.name)
        self.file.seek(0)
        return File(self.file, self.name)

    def read(self, size: int = -1) -> bytes:
        """The content."""
        if not self.committed:
            return super().read(size)
        with self.open() as file:
            return file.read(size)

    def chunks(self, size: int = 256 * 1024) -> Any:
        """The whole content, in parts."""
        if not self.committed:
            yield from super().chunks(size)
            return
        with self.open() as file:
            yield from file.chunks(size)

    def close(self) -> None:
        """Close a file that was given and not yet stored."""
        if self.file is not None:
            self.file.close()

    def save(self, name: str, content: File | IO[bytes] | bytes, *, save: bool = True) -> None:
        """Store a file, and make it this one. The one before is left where it is.

        Args:
            name: The name that is wished for; ``upload_to`` says in which folder.
            content: The file.
            save: Save the instance too.
        """
        wished = self.field.generate_filename(self.instance, name)
        self.name = self.storage.save(wished, content, max_length=self.field.max_length)
        self.file, self.committed = None, True
        self.field.took_file(self.instance, self)
        if save:
            self.instance.save()

    def delete(self, *, save: bool = True) -> None:
        """Delete the file, and have none.

        Args:
            save: Save the instance too.
        """
        if self.name and self.committed:
            self.storage.delete(self.name)
        self.name, self.file, self.committed = "", None, True
        self.field.took_file(self.instance, self)
        if save:
            self.instance.save()


def _restored(model: Any, field: str, name: str) -> FieldFile:
    """A file as it was pickled; whose it is, its instance says when it is asked."""
    found: FileField = model._meta.get_field(field)
    return found.attr_class(None, found, name)


class FileDescriptor:
    """Stands on the class: an instance's value is a ``FieldFile``, made when it is looked at."""

    def __init__(self, field: FileField) -> None:
        self.field = field

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self.field
        values, name = instance.__dict__, self.field.attname
        value = values[name] if name in values else instance.load_deferred(self.field)
        if not isinstance(value, FieldFile) or value.instance is not instance:  # of a copy, or of a pickle
            value = values[name] = self.field.attach(instance, value)
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        made = instance.__dict__[self.field.attname] = self.field.attach(instance, value)
        if not made.committed or not made.name:
            self.field.took_file(instance, made)


class FileField(Field[FieldFile]):
    """A file; the column has its name in the storage.

    Args:
        upload_to: The folder that files get, with ``strftime`` marks such as ``photos/%Y/%m``; or a function of
            the instance and the file's name that gives the whole name.
        storage: A name of the setting ``[storages]``, a ``Storage``, or a function that gives one. None is
            ``default``.
        max_length: The most characters of the name.
    """

    attr_class: ClassVar[type[FieldFile]] = FieldFile
    lookups = TEXT
    empty: ClassVar[Any] = ""
    stores = True
    not_in_database: ClassVar[frozenset[str]] = frozenset({"upload_to", "storage"})

    def __init__(
        self,
        *,
        upload_to: UploadTo = "",
        storage: str | Storage | Callable[[], Storage] | None = DEFAULT,
        max_length: int = 100,
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(**options)
        self.upload_to = upload_to.as_posix() if isinstance(upload_to, Path) else upload_to
        self.storage, self.max_length = DEFAULT if storage is None else storage, max_length
        for option, kinds, hint in (
            (
                "upload_to",
                str,
                "Give a folder, such as 'photos/%Y', or a function of the instance and the file's name.",
            ),
            ("storage", (str, Storage), "Give a name of [storages], a Storage, or a function that gives one."),
        ):
            given = getattr(self, option)
            if not isinstance(given, kinds) and not callable(given):
                raise DeclarationError(f"{type(self).__name__}: {option} = {given!r:.80}", hint=hint)

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> FileField: ...
    @overload
    def __get__(self, instance: object, owner: type[Any]) -> FieldFile: ...
    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        return super().__get__(instance, owner)

    if TYPE_CHECKING:

        def __set__(self, instance: Any, value: File | str | None) -> None: ...

    def descriptor(self) -> FileDescriptor:
        """What stands on the class under the field's name."""
        return FileDescriptor(self)

    @property
    def label(self) -> str:
        """``Story.photo``."""
        return f"{self.model.__name__}.{self.name}" if self.model is not None else self.name

    def check(self) -> None:
        if self.primary_key or self.translated or self.unique:
            raise DeclarationError(
                f"{self.model.__name__}.{self.name}: a file field can be no key, not unique and not translated",
                hint="Its column has the name of a file, which the storage chooses.",
            )
        if isinstance(self.upload_to, str) and (self.upload_to.startswith("/") or ".." in self.upload_to.split("/")):
            raise DeclarationError(
                f"{self.model.__name__}.{self.name}: upload_to = {self.upload_to!r} leads out of the storage",
                hint="Write a relative folder, such as photos/%Y.",
            )

    def get_storage(self) -> Storage:
        """Where this field's files are.

        Raises:
            StorageError: There is no storage of this name, or no current site to look it up in.
        """
        if isinstance(self.storage, Storage):
            return self.storage
        if callable(self.storage):
            return self.storage()
        scope = current.get()
        if scope is None or scope.site is None:
            raise StorageError(
                f"{self.label}: there is no current site, so the storage {self.storage!r} is not known",
                hint="Enter one: 'with site:'.",
            )
        found: Storage = scope.site.storages[self.storage]
        return found

    def generate_filename(self, instance: Any, name: str) -> str:
        """The name that is wished for in the storage, for a file that somebody called so.

        Raises:
            StorageError: It would be none, or lead out of the storage.
        """
        if callable(self.upload_to):
            return check_name(str(self.upload_to(instance, name)))
        scope = current.get()
        now = scope.now() if scope is not None else datetime.now(UTC)
        folder = now.strftime(self.upload_to).strip("/") if self.upload_to else ""
        own = self.get_storage().get_valid_name(name)
        return check_name(f"{folder}/{own}" if folder else own)

    def attach(self, instance: Any, value: Any) -> FieldFile:
        """The value of an instance, from what was given to it: a name, a file, or nothing."""
        made = self.attr_class(instance, self, "")
        if isinstance(value, FieldFile) and value.committed:
            made.name = value.name
        elif isinstance(value, File):
            made.name, made.file, made.committed = value.name, value.file, False
        elif value:
            made.name = str(value)
        return made

    def took_file(self, instance: Any, file: FieldFile) -> None:
        """Called when an instance got another file."""

    def after_init(self, instance: Any) -> None:
        value = instance.__dict__.get(self.attname)
        if isinstance(value, FieldFile) and not value.committed:
            self.took_file(instance, value)  # again: the fields that it tells of had their defaults after it

    def before_save(self, instance: Any) -> None:
        """Store a file that was given to an instance."""
        value = instance.__dict__.get(self.attname)
        if isinstance(value, File) and not isinstance(value, FieldFile):
            value = instance.__dict__[self.attname] = self.attach(instance, value)
        if isinstance(value, FieldFile) and not value.committed:
            value.save(value.name, File(value.file, value.name), save=False)

    # values

    def to_python(self, value: Any) -> Any:
        if isinstance(value, File):
            return value
        if not isinstance(value, str):
            raise refusal(_NOT_A_NAME, value)
        return value

    def clean(self, value: Any) -> Any:
        return super().clean(None if isinstance(value, File) and not value.name else value)

    def validate(self, value: Any) -> None:
        name = str(getattr(value, "name", value))
        stored = not isinstance(value, File) or (isinstance(value, FieldFile) and value.committed)
        if stored:
            try:
                check_name(name)
            except StorageError as error:
                raise refusal(_NO_STORED_NAME, name, code="invalid_name", hint=error.hint) from error
        if stored and len(name) > self.max_length:
            raise refusal(_NAME_TOO_LONG, name, code="max_length", length=len(name), max=self.max_length)

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.String(self.max_length)

    def db_value_of(self, dialect: str) -> Callable[[Any], Any]:
        """Refuse a name that is longer than the column, before a database does, or SQLite does not."""

        def value_of(value: Any) -> str:
            name = self._name_of(value)
            if len(name) > self.max_length:
                raise refusal(_NAME_TOO_LONG, name, code="max_length", length=len(name), max=self.max_length)
            return name

        return value_of

    def compared_value_of(self, dialect: str) -> Callable[[Any], Any]:
        return self._name_of

    def _name_of(self, value: Any) -> str:
        name = value if isinstance(value, str) else str(self.to_python(value).name)
        refuse_unsound(name)
        return name
