"""Tables that others make: migrations leave them alone, and a reference to one is a column like any other."""

from __future__ import annotations

from typing import Any

from tests.tables import resolved
from toolkit import migrations, models
from toolkit.database import Database
from toolkit.migrations.describing import state_of
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered


class Wire(models.Model):
    name = models.CharField(max_length=20)

    class Meta:
        managed = False
        db_table = "wires"


class Note(models.Model):
    wire = models.ForeignKey(Wire, on_delete=models.DO_NOTHING, null=True, related_name="notes")
    text = models.TextField()


EVERYTHING = resolved({"desk": [Wire, Note]})


def test_an_unmanaged_model_is_in_no_migration() -> None:
    state = state_of(EVERYTHING)
    assert list(state.models) == ["desk.Note"]
    wire = state.get("desk", "Note").get_field("wire")
    assert (wire.kind, wire.to, dict(wire.options)) == (
        "toolkit.models.BigIntegerField",
        None,
        {"null": True, "db_index": True, "db_column": "wire_id"},
    )


def test_its_table_is_not_made_and_its_rows_are_read() -> None:
    database: Any = Database("sqlite://")
    database.schema = Schema(EVERYTHING, database.dialect)
    assert migrations.create_tables(database, [model for model in EVERYTHING if model._meta.managed]) == ["desk_note"]
    assert database.table_names() == ["desk_note"]
    database.execute("CREATE TABLE wires (id INTEGER PRIMARY KEY, name TEXT)")
    database.execute("INSERT INTO wires VALUES (7, 'flood')")
    with entered(Scope(None, database)):
        Note.objects.create(wire=Wire.objects.get(), text="ask Ines")
        assert Note.objects.filter(wire__name="flood").get().wire.name == "flood"
        assert Wire.objects.get().notes.get().text == "ask Ines"
    assert "REFERENCES" not in database.fetch("SELECT sql FROM sqlite_master WHERE name = 'desk_note'")[0][0]
    database.close()
