"""What rows are written in, by name. A distribution adds one under the entry point group ``toolkit.formats``."""

from toolkit.serialization.formats.base import FORMATS, Format, format_of, kind_of, opened

__all__ = ["FORMATS", "Format", "format_of", "kind_of", "opened"]
