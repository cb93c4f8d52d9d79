"""The next step for what databases say, in words that several of them use."""

from __future__ import annotations

import re

SMALLER = "Ask for fewer columns or conditions at once, in several questions."
"""For a statement that is larger than the database takes."""

MIGRATE = "Apply the migrations: toolkit migrations apply."
"""For a table or a column that is not there."""


def hint_for(told: str) -> str | None:
    """The next step, if it is known.

    Args:
        told: What the database said.
    """
    return next((hint for pattern, hint in _HINTS if re.search(pattern, told)), None)


_HINTS = (
    (
        r"no such table|no such column|has no column named|(relation|column) .* does not exist|doesn't exist"
        r"|Unknown column",
        MIGRATE,
    ),
    (
        r"out of range for \w+\.\w+: -?\d|(integer|smallint) out of range|numeric field overflow|Out of range value",
        "Leave out the rows whose value does not fit, or give the field more room.",
    ),
    (
        r"whole number out of range|bigint out of range|BIGINT.* value is out of range|integer overflow",
        "Whole numbers have 64 bits, on the way to a result too. Use Cast(..., models.FloatField()), or Python.",
    ),
    (
        r"value too long for|Data too long for",
        "Cut it, such as with Left(..., 200), or give the field a greater max_length.",
    ),
    (
        r"instant out of range|datetime field overflow|timestamp out of range",
        "Instants are of the years 1 to 9999. Leave out rows whose value lies beyond.",
    ),
    (
        r"interval out of range|can't parse interval|length of time out of range",
        "A length of time has at most 999,999,999 days, and fewer on some databases.",
    ),
    (
        r"cannot insert multiple commands|one statement at a time",
        "One statement is run at a time. Run the others by themselves; RunSQL takes a list of them.",
    ),
    (
        r"are allowed as placeholders, got|incomplete placeholder|for format string|unsupported format character",
        "Write a percent sign twice (%%): alone it begins the mark of a value. raw() and cursor() want that only where "
        "there are values.",
    ),
    (
        r"larger than a float|value out of range: overflow|DOUBLE value is out of range",
        "A float is at most 1.8e308. Divide first, or leave out such rows.",
    ),
    (
        r"statement timeout|max_statement_time",
        "It took longer than the server allows. Ask for less, or raise statement_timeout or max_statement_time there.",
    ),
    (
        r'no default operator class for access method "(gist|gin)"',
        "Plain values are compared there by an extension: CREATE EXTENSION btree_gist (of GIN: btree_gin), in a RunSQL "
        "of a migration before, or by hand.",
    ),
    (
        r"column used (by|in) a (view|trigger|policy|function)|other objects depend on it",
        "Drop what is named before, and make it again after, with migrations.RunSQL.",
    ),
    (r"read-only", "May this user write here?"),
    (r"too many SQL variables", "Filter with a queryset instead of a list: author__in=Author.objects.filter(...)."),
)
