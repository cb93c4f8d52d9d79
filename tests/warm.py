"""A process that has imported the toolkit, and runs each command or script in a fork: nobody waits for imports.

As a program it reads requests, one line of JSON each, and answers each with the command's exit status.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import re
import runpy
import shlex
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

HEAVY = (
    "alembic", "babel.dates", "feedgen.feed", "lxml.etree", "PIL.Image", "pyromark", "shapely", "sqlite_utils",
    "sqlalchemy.dialects.sqlite", "stringprep", "toolkit.database.backends.sqlite", "toolkit.database.sqlfunctions",
    "toolkit.database.tokens.sqlite", "werkzeug.routing",
)  # fmt: skip
"""What commands import only where they need it."""
PLAIN = re.compile(r"(?:toolkit|python3?) [^|&;<>$`*?~(){}\n]*")
"""A command that needs no shell."""


class WarmToolkit:
    """The command, ready to run.

    Args:
        process: This module as a program.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, command: str, folder: Path, environment: dict[str, str]) -> tuple[int, str]:
        """Exit status and output of ``toolkit ...`` or ``python ...``, both streams together."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.NamedTemporaryFile() as printed:
            request = {"command": command, "folder": str(folder), "environment": environment, "printed": printed.name}
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
            assert answer, f"the process that runs commands ended at: {command}"
            return int(answer), printed.read().decode()


@contextmanager
def warm_toolkit() -> Iterator[WarmToolkit]:
    """The command, until it is needed no longer."""
    program = [sys.executable, "-P", __file__]  # -P: the site's folder is imported from only if the command says so
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield WarmToolkit(process)
        assert process.stdin is not None
        process.stdin.close()


def serve() -> None:
    """Answer requests until there are no more."""
    from toolkit.cli.main import COMMANDS
    from toolkit.site.code import toolkit_sources

    for name in ("toolkit.site", *(place.partition(":")[0] for place, _ in COMMANDS.values()), *HEAVY):
        importlib.import_module(name)
    toolkit_sources()
    _build_something()
    gc.freeze()  # a fork need not touch what is there already
    for line in iter(sys.stdin.readline, ""):
        pid = os.fork()
        if pid == 0:
            _become(**json.loads(line))
        os.write(1, f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\n".encode())


def _build_something() -> None:
    """Fill the caches of the libraries: patterns, and the machinery of statements and templates."""
    from click.testing import CliRunner

    from toolkit.cli.main import cli
    from toolkit.site.code import forget_modules

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "press"
        for arguments in (["new", str(folder)], ["build", "--site", str(folder), "--workers", "1"]):
            result = CliRunner().invoke(cli, arguments)
            assert result.exit_code == 0, result.output
        forget_modules(folder)


def _become(command: str, folder: str, environment: dict[str, str], printed: str) -> None:
    """Turn this process into the command, and end it."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(os.open(printed, os.O_WRONLY | os.O_APPEND), 1)
    os.dup2(1, 2)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in environment
    try:
        _run(shlex.split(command))
    except SystemExit as end:
        if isinstance(end.code, str) or threading.active_count() > 1:
            raise  # Python says the text, or waits for the threads
        _end(end.code or 0)


def _run(arguments: list[str]) -> NoReturn:
    """Do what ``toolkit ...``, ``python -m MODULE ...`` or ``python SCRIPT ...`` does."""
    from toolkit.cli.main import main

    if arguments[0] == "toolkit":
        sys.argv = arguments
        main()
    elif arguments[1] == "-m":
        sys.path.insert(0, str(Path.cwd()))
        sys.argv = arguments[2:]
        runpy.run_module(arguments[2], run_name="__main__", alter_sys=True)
    else:
        sys.path.insert(0, str(Path(arguments[1]).resolve().parent))
        sys.argv = arguments[1:]
        runpy.run_path(arguments[1], run_name="__main__")
    sys.exit(0)


def _end(status: int) -> NoReturn:
    """End at once: to take apart all that was imported before the fork costs 0.2 s, four times the command itself."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    serve()
