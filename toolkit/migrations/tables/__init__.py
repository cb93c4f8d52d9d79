"""What tables really look like, read back from a database and compared with what models want."""
