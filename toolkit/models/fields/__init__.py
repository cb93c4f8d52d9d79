"""The kinds of field. A kind that is missing here is written as these are: by subclassing one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.lazily import names_from

if TYPE_CHECKING:
    from toolkit.models.fields.addresses import FilePathField, GenericIPAddressField
    from toolkit.models.fields.base import DATABASE_DEFAULT, MISSING, Field, FieldOptions
    from toolkit.models.fields.binary import BinaryField
    from toolkit.models.fields.choices import IntegerChoices, TextChoices
    from toolkit.models.fields.dates import DateField, DateTimeField
    from toolkit.models.fields.files import FieldFile, FileField
    from toolkit.models.fields.generated import GeneratedField
    from toolkit.models.fields.identifiers import UUIDField, uuid7
    from toolkit.models.fields.images import ImageField
    from toolkit.models.fields.integers import (
        AutoField,
        BigAutoField,
        BigIntegerField,
        IntegerField,
        PositiveBigIntegerField,
        PositiveIntegerField,
        PositiveSmallIntegerField,
        SmallAutoField,
        SmallIntegerField,
        VersionField,
    )
    from toolkit.models.fields.json import JSONField, JSONNull
    from toolkit.models.fields.numbers import BooleanField, DecimalField, FloatField
    from toolkit.models.fields.several import CompositePrimaryKey, Several
    from toolkit.models.fields.text import CharField, EmailField, MarkdownField, SlugField, TextField, URLField
    from toolkit.models.fields.times import DurationField, TimeField

__all__ = [
    "DATABASE_DEFAULT",
    "CompositePrimaryKey",
    "Several",
    "MISSING",
    "AutoField",
    "BigAutoField",
    "BigIntegerField",
    "BinaryField",
    "BooleanField",
    "CharField",
    "DateField",
    "DateTimeField",
    "DecimalField",
    "DurationField",
    "EmailField",
    "Field",
    "FieldOptions",
    "FilePathField",
    "FieldFile",
    "FileField",
    "FloatField",
    "ImageField",
    "GeneratedField",
    "GenericIPAddressField",
    "IntegerChoices",
    "IntegerField",
    "JSONField",
    "JSONNull",
    "MarkdownField",
    "PositiveBigIntegerField",
    "PositiveIntegerField",
    "PositiveSmallIntegerField",
    "SlugField",
    "SmallAutoField",
    "SmallIntegerField",
    "TextChoices",
    "TextField",
    "TimeField",
    "URLField",
    "UUIDField",
    "VersionField",
    "uuid7",
]

__getattr__ = names_from(
    __name__,
    {
        "addresses": ["FilePathField", "GenericIPAddressField"],
        "base": ["DATABASE_DEFAULT", "Field", "FieldOptions", "MISSING"],
        "binary": ["BinaryField"],
        "choices": ["IntegerChoices", "TextChoices"],
        "dates": ["DateField", "DateTimeField"],
        "files": ["FieldFile", "FileField"],
        "generated": ["GeneratedField"],
        "identifiers": ["UUIDField", "uuid7"],
        "images": ["ImageField"],
        "integers": [
            "AutoField",
            "BigAutoField",
            "BigIntegerField",
            "IntegerField",
            "PositiveBigIntegerField",
            "PositiveIntegerField",
            "PositiveSmallIntegerField",
            "SmallAutoField",
            "SmallIntegerField",
            "VersionField",
        ],
        "json": ["JSONField", "JSONNull"],
        "numbers": ["BooleanField", "DecimalField", "FloatField"],
        "several": ["CompositePrimaryKey", "Several"],
        "text": ["CharField", "EmailField", "MarkdownField", "SlugField", "TextField", "URLField"],
        "times": ["DurationField", "TimeField"],
    },
)
