"""The command: ``toolkit``, and ``python -m toolkit`` for those who have no entry point on their path."""

from __future__ import annotations

import gc
import importlib
import os
import sys


def main() -> None:
    """Run the command with the arguments of the process."""
    gc.disable()  # until the site is open: importing makes many objects, and next to no circles
    _open_closed()
    arguments, begun = sys.argv[1:], None
    if arguments[:1] == ["build"]:  # another process looks at files while the command is imported
        begun = importlib.import_module("toolkit.ahead").begin(arguments)
    try:
        importlib.import_module("toolkit.cli.main").main(begun)
    finally:
        if begun is not None:
            begun.close()


def _open_closed() -> None:
    """Open the streams that the process was begun without (``>&-``): Python has None for them, and the next file that
    is opened, a database perhaps, would take the place of one."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - until the process ends


if __name__ == "__main__":
    main()
