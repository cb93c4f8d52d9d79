"""The command: ``toolkit``, and ``python -m toolkit`` for those who have no entry point on their path."""

from __future__ import annotations

import gc
import importlib


def main() -> None:
    """Run the command with the arguments of the process."""
    gc.disable()  # until the site is open: importing makes many objects, and next to no circles
    importlib.import_module("toolkit.cli.main").main()


if __name__ == "__main__":
    main()
