"""``python -m toolkit``: the command, for those who have no entry point on their path."""

from __future__ import annotations

from toolkit.cli.main import main

if __name__ == "__main__":
    main()
