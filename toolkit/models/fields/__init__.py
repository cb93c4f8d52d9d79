"""The kinds of field. A kind that is missing here is written as these are: by subclassing one."""

from toolkit.models.fields.base import MISSING, Field, FieldOptions
from toolkit.models.fields.dates import DateField, DateTimeField
from toolkit.models.fields.numbers import (
    AutoField,
    BooleanField,
    DecimalField,
    FloatField,
    IntegerField,
    PositiveIntegerField,
)
from toolkit.models.fields.structured import BinaryField, JSONField, UUIDField
from toolkit.models.fields.text import CharField, EmailField, MarkdownField, SlugField, TextField, URLField

__all__ = [
    "MISSING",
    "AutoField",
    "BinaryField",
    "BooleanField",
    "CharField",
    "DateField",
    "DateTimeField",
    "DecimalField",
    "EmailField",
    "Field",
    "FieldOptions",
    "FloatField",
    "IntegerField",
    "JSONField",
    "MarkdownField",
    "PositiveIntegerField",
    "SlugField",
    "TextField",
    "URLField",
    "UUIDField",
]
