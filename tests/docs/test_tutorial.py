"""The tutorial, followed to the letter in an empty folder.

The first chapter with the command as it is installed; the others without its start-up, which took most of their time.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.warm import WarmToolkit

from .following import APPENDED, Block, blocks, chapters, commands, follow, write

CHAPTERS = chapters("tutorial")


@pytest.fixture(scope="module")
def courier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that all chapters work in, one after the other."""
    return tmp_path_factory.mktemp("courier")


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_each_chapter_does_what_it_shows(chapter: Path, courier: Path, warm: WarmToolkit) -> None:
    started = None if chapter == CHAPTERS[0] else warm
    for block in blocks(chapter):
        if block.title:
            write(block, courier)
        elif block.body.startswith("$ toolkit serve"):
            command, shown = next(commands(block))
            _serve(command, shown, courier)
        elif block.language == "console":
            follow(block, courier, temporary=courier.parent, warm=started)


def _serve(command: str, shown: str, folder: Path) -> None:
    """Start the server, see that it speaks as shown and answers, and end it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(sys.executable).parent / "toolkit"
    arguments = [str(program), *command.split()[1:], "--port", str(port)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    server = subprocess.Popen(
        arguments, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert server.stdout is not None
        assert server.stdout.readline().strip() == shown.strip().replace("8000", str(port))
        assert "lighthouse" in _fetch(f"http://127.0.0.1:{port}/")
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        if server.stdout is not None:
            server.stdout.close()


def _fetch(url: str) -> str:
    """A page's text, once the server listens."""
    for _ in range(100):
        try:
            with urlopen(url, timeout=10) as answer:
                return str(answer.read().decode())
        except (URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError(f"nothing answers at {url}")


def test_the_chapters_are_numbered_without_gaps() -> None:
    positions = [re.search(r"^position: (\d+)$", path.read_text("utf-8"), re.M)[1] for path in CHAPTERS]  # type: ignore[index]
    assert positions == [str(number) for number in range(1, len(CHAPTERS) + 1)]


def _python_blocks() -> Iterator[Block]:
    for part in ("tutorial", "how-to", "explanation"):
        for chapter in chapters(part):
            yield from (block for block in blocks(chapter) if block.language == "python")


@pytest.mark.parametrize("block", list(_python_blocks()), ids=lambda block: block.where)
def test_every_python_example_compiles(block: Block) -> None:
    compile(block.body, block.title.removesuffix(APPENDED) or block.where, "exec")
