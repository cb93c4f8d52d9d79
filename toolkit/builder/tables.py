"""Tables for a build: made when the database is new, checked when it is not."""

from __future__ import annotations

from typing import Any


def bring_up(site: Any) -> None:
    """Make missing tables."""
    from sqlalchemy.schema import CreateIndex, CreateTable

    database = site.database
    if database.dialect == "sqlite":
        present = {row[0] for row in database.fetch("SELECT name FROM sqlite_master WHERE type='table'")}
        if set(database.schema.table_names) <= present:
            return
    for table in database.schema.metadata.sorted_tables:
        if table.name in present: continue
        database.execute(str(CreateTable(table).compile(dialect=database.sqlalchemy_dialect)))
        for index in table.indexes:
            database.execute(str(CreateIndex(index).compile(dialect=database.sqlalchemy_dialect)))
    for model in database.schema:
        for field in model._meta.fields:
            if hasattr(field, "after_create"):
                field.after_create(database)
