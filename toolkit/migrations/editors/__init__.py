"""Editors: how each kind of database turns a table as it was into the table that it shall be."""
