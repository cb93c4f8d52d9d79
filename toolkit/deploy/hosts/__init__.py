"""Headers and redirects in the form that each host reads, all from one list."""
