"""Rows as text and back: dumps of a database, and tables in files."""

from toolkit.serialization.dumping import dump, iter_records
from toolkit.serialization.formats import FORMATS, Format, format_of
from toolkit.serialization.loading import Loaded, load
from toolkit.serialization.records import Place, Record

__all__ = ["FORMATS", "Format", "Loaded", "Place", "Record", "dump", "format_of", "iter_records", "load"]
