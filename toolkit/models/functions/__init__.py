"""Functions of the database, in Django's words: ``Lower("title")``, ``TruncMonth("published")``."""
