"""CREATE TABLE statements are taken apart whatever is in them."""

from __future__ import annotations

import sqlite3

import pytest

from toolkit.migrations.tables.definitions import checks_of, constraint_key, parse_table

ODD = """CREATE TABLE "odd, (table" ( -- the first
  id INTEGER PRIMARY KEY, /* a comment, with a comma */
  "two words" TEXT DEFAULT 'a, (b' COLLATE NOCASE,
  [bracketed] NUMERIC(9, 2) CHECK ([bracketed] IN (1, 2)),
  `ticked` TEXT AS (upper("two words")) STORED,
  constraint_like TEXT,
  CONSTRAINT "of, mine" UNIQUE ("two words", bracketed),
  CHECK (length("two words") > 0)
) STRICT"""


def test_columns_and_constraints_are_found_among_comments_quotes_and_brackets():
    parts = parse_table(ODD)
    assert list(parts.columns) == ["id", "two words", "bracketed", "ticked", "constraint_like"]
    assert parts.columns["bracketed"] == "[bracketed] NUMERIC(9, 2) CHECK ([bracketed] IN (1, 2))"
    assert [constraint_key(text) for text in parts.constraints] == [
        "UNIQUE(two words,bracketed)",
        "CHECK(length(two words)>0)",
    ]
    assert parts.suffix == " STRICT"


def test_what_was_taken_apart_makes_the_same_table_again():
    sql = ODD.replace(" STRICT", "")
    with sqlite3.connect(":memory:") as connection:
        connection.execute(sql)
        connection.execute(parse_table(sql).create("again"))
        first, second = (
            connection.execute(f'PRAGMA table_xinfo("{name}")').fetchall() for name in ("odd, (table", "again")
        )
    connection.close()
    assert first == second


@pytest.mark.parametrize(
    "text",
    [
        'CONSTRAINT x FOREIGN KEY(a) REFERENCES "b" (id)',
        'CONSTRAINT "other name" FOREIGN KEY("a") REFERENCES b(id)',
        "FOREIGN KEY (a)\n REFERENCES [b] ( `id` )",
    ],
)
def test_a_constraint_is_known_by_what_it_says(text):
    assert constraint_key(text) == "FOREIGNKEY(a)REFERENCESb(id)"


def test_text_in_a_condition_keeps_its_spaces():
    assert checks_of(parse_table("CREATE TABLE t (a, CHECK (a <> 'x  y'))")) == {"CHECK(a<>'x  y')"}
