"""Follow a chapter of the manual: write the files that it shows, run the commands, compare what they print."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.warm import PLAIN, WarmToolkit

DOCS = Path(__file__).parent.parent.parent / "docs"
CONTENT = DOCS / "content"
BLOCK = re.compile(
    r"^(?P<fence>`{3,})(?P<language>[\w-]+)(?: (?P<rest>[^\n]+))?\n(?P<body>.*?)^(?P=fence)$", re.M | re.S
)
TITLE = re.compile(r'title="([^"]+)"')
APPENDED = ", at the end"
CONVERSATION = """
import doctest, pathlib
test = doctest.DocTestParser().get_doctest(pathlib.Path({path!r}).read_text("utf-8"), globals(), {name!r}, {name!r}, 0)
runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
raise SystemExit(bool(runner.run(test).failed))
"""
"""What a shell runs to see that its answers are those shown."""
BESIDE = ("the code changed", "the minute changed", "the hour changed", "the day changed")
"""Why a page was rendered that the manual does not show: somebody is at work on the toolkit, or the clock went on."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a chapter.

    Args:
        language: Such as ``python`` or ``console``.
        title: The file it belongs to; empty when it has none.
        flags: Further words after the language: ``norun`` for what a test cannot do, ``fails`` for commands that shall.
        body: The text.
        where: ``chapter.md:12``.
    """

    language: str
    title: str
    flags: frozenset[str]
    body: str
    where: str


def blocks(path: Path) -> Iterator[Block]:
    """The fenced blocks of a chapter, in order."""
    text = path.read_text("utf-8")
    for match in BLOCK.finditer(text):
        rest = match["rest"] or ""
        title = TITLE.search(rest)
        flags = frozenset(TITLE.sub("", rest).split())
        where = f"{path.name}:{text.count(chr(10), 0, match.start()) + 1}"
        yield Block(match["language"], title[1] if title else "", flags, match["body"], where)


def chapters(part: str) -> list[Path]:
    """The chapters of a part, in their order."""
    found = list((CONTENT / part).glob("*.md"))
    return sorted(found, key=_position)


def _position(path: Path) -> int:
    match = re.search(r"^position: (\d+)$", path.read_text("utf-8"), re.M)
    assert match is not None, f"{path} has no position"
    return int(match[1])


def write(block: Block, folder: Path) -> None:
    """Write a block's file, or add to its end."""
    path = folder / block.title.removesuffix(APPENDED)
    path.parent.mkdir(parents=True, exist_ok=True)
    if block.title.endswith(APPENDED):
        assert path.is_file(), f"{block.where}: there is no {path.name} to add to"
        path.write_text(path.read_text("utf-8").rstrip("\n") + "\n\n" + block.body, "utf-8")
    else:
        path.write_text(block.body, "utf-8")


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """(command, what it prints) of a console block."""
    command, printed = "", []
    for line in block.body.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, "\n".join(printed)
            command, printed = line[2:], []
        else:
            printed.append(line)
    if command:
        yield command, "\n".join(printed)


def run(command: str, folder: Path, warm: WarmToolkit | None = None) -> tuple[int, str]:
    """Exit status and output of a command, both streams together, as a reader sees them.

    Args:
        command: As one types it.
        folder: Where.
        warm: Runs the toolkit's commands, and scripts, sooner than a shell does.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "CI": "true", "PYTHONDONTWRITEBYTECODE": "1"}
    if warm is not None and (PLAIN.fullmatch(command) or command.startswith("toolkit shell --command ")):
        return warm.run(command, folder, environment)
    done = subprocess.run(
        command, shell=True, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return done.returncode, done.stdout


def is_as_shown(shown: str, printed: str) -> bool:
    """Whether an output is what the manual shows; ``…`` stands for any text, alone on a line for any lines."""
    pattern = ""
    for line in shown.rstrip("\n").splitlines():
        if line.strip() == "…":
            pattern += r"(?:.*\n)*"
        else:
            pattern += re.sub(r"(?:\\…|…)", ".*", re.escape(line)) + r"[ ]*\n"
    return re.fullmatch(pattern, printed.rstrip("\n") + "\n" if printed.strip() else "") is not None


def follow(block: Block, folder: Path, *, temporary: Path, warm: WarmToolkit | None = None) -> None:
    """Run a block's commands, and compare what they print and how they end with what the manual shows.

    Args:
        block: A ``console`` block.
        folder: The site's folder.
        temporary: What ``/tmp`` stands for.
        warm: Runs the toolkit's commands, and scripts, sooner than a shell does.
    """
    if "norun" in block.flags:
        return
    for command, shown in commands(block):
        command, hour = command.replace("/tmp/", f"{temporary}/"), _hour()
        status, printed = run(command, folder, warm)
        told = f"{block.where}: $ {command}\nshown:\n{shown}\nprinted:\n{printed}"
        if any(reason in printed for reason in BESIDE) and not is_as_shown(shown, printed):
            status, printed = run(command, folder, warm)
            told += f"\nprinted again:\n{printed}"
        assert is_as_shown(shown, printed), told
        assert (status != 0) == ("fails" in block.flags), f"status {status}: {told}"
        if _hour() != hour and (folder / "build").exists():
            run("toolkit build", folder, warm)  # else the next one shows what the clock changed beside the edits


def _hour() -> float:
    return time.time() // 3600


def converse(talk: Iterable[Block], folder: Path, *, temporary: Path, warm: WarmToolkit) -> None:
    """Type what ``pycon`` blocks show into one shell, and compare what it answers.

    Args:
        talk: The blocks, one after the other.
        folder: The site's folder.
        temporary: Where a script may lie.
        warm: Runs the shell.
    """
    said = list(talk)
    script = temporary / "talk.txt"
    script.write_text("\n".join(block.body for block in said), "utf-8")
    code = CONVERSATION.format(path=str(script), name=said[0].where)
    status, printed = run(f"toolkit shell --command {shlex.quote(code)}", folder, warm)
    assert status == 0, printed
