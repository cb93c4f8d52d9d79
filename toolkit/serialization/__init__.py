"""Rows as text and back: dumps of a database, and tables in files."""

from toolkit.serialization.dumping import dump
from toolkit.serialization.exporting import export_rows
from toolkit.serialization.formats import FORMATS, Format, format_of
from toolkit.serialization.importing import Imported, import_rows
from toolkit.serialization.loading import Loaded, load
from toolkit.serialization.records import Place, Record
from toolkit.serialization.tables import kind_of_table, read_table

__all__ = [
    "FORMATS",
    "Format",
    "Imported",
    "Loaded",
    "Place",
    "Record",
    "dump",
    "export_rows",
    "format_of",
    "import_rows",
    "kind_of_table",
    "load",
    "read_table",
]
