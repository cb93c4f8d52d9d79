"""The command as a whole: help, suggestions, exit statuses, failures."""

from __future__ import annotations

import importlib
import json
import os
import pty
import resource
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from toolkit.cli.main import COMMANDS, cli

from .conftest import Run, in_process


def every_command(group: click.Group, *names: str) -> list[tuple[tuple[str, ...], click.Command]]:
    found: list[tuple[tuple[str, ...], click.Command]] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found.append(((*names, name), command))
        if isinstance(command, click.Group):
            found += every_command(command, *names, name)
    return found


ALL = every_command(cli)


@pytest.mark.parametrize(("names", "command"), ALL, ids=[" ".join(names) for names, _ in ALL])
def test_every_command_and_option_says_what_it_does(names: tuple[str, ...], command: click.Command) -> None:
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{' '.join(names)} {parameter.name}"
            assert parameter.help.rstrip("]")[-1] in ".=:0" or "[default" in parameter.help, parameter.help
    result = CliRunner().invoke(cli, [*names, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_of_commands_says_what_each_says_of_itself(name: str) -> None:
    place, line = COMMANDS[name]
    module, _, attribute = place.partition(":")
    command = getattr(importlib.import_module(module), attribute)
    assert command.name == name
    assert command.help.partition("\n\n")[0] == line


def test_an_unknown_command_is_wrong_usage_and_gets_a_suggestion() -> None:
    result = CliRunner().invoke(cli, ["biuld"])
    assert result.exit_code == 2
    assert "No such command 'biuld'. Did you mean 'build'?" in result.output


def test_an_unknown_option_is_wrong_usage_and_gets_a_suggestion(run: Run) -> None:
    assert "Did you mean --clean" in run("build", "--clen", status=2).output.replace("'", "")


def test_outside_of_a_site_every_command_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for command in ("build", "routes", "settings", "serve", "shell"):
        result = CliRunner().invoke(cli, [command])
        assert result.exit_code == 1
        assert "there is no toolkit.toml at or above" in result.output


def test_the_site_is_found_from_below_and_named_in_either_place(run: Run, folder: Path) -> None:
    os.chdir(folder / "content")
    assert "home" in run("routes").output
    os.chdir(folder.parent)
    assert "home" in run("--site", "bay-press", "routes").output
    assert "home" in run("routes", "--site", "bay-press").output
    assert "10 pages" in run("build", "bay-press", "--workers", "1").output


def test_all_problems_are_letters_on_stderr_and_json_on_stdout(run: Run, folder: Path) -> None:
    toml = folder / "toolkit.toml"
    toml.write_text(toml.read_text() + 'wrokers = 2\nraw_html = "yes"\n')
    result = run("build", "--json", status=1)
    letters = result.stderr.splitlines()
    assert letters[0] == "2 settings are wrong:"
    assert letters[1].startswith("toolkit.toml:9: there is no setting 'wrokers'. Did you mean 'workers'?")
    data = json.loads(result.stdout)
    assert data["ok"] is False
    assert [problem["line"] for problem in data["problems"]] == [9, 10]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("next", "0", "--json"), "Invalid value for '[COUNT]': 0 is not in the range x>=1."),
        (("why", "--json"), "Missing argument 'URL'."),
        (("build", "--json", "--bogus"), "No such option '--bogus'."),
        (("--bogus", "build", "--json"), "No such option '--bogus'."),
    ],
)
def test_a_wrong_call_is_json_too_where_a_machine_reads(run: Run, words: tuple[str, ...], message: str) -> None:
    result = run(*words, status=2)
    (problem,) = json.loads(result.stdout)["problems"]
    assert problem["message"].startswith(message) and problem["kind"] == "UsageError"
    assert message in result.stderr


def test_letters_are_capped_with_a_count(run: Run, folder: Path) -> None:
    toml = folder / "toolkit.toml"
    toml.write_text(toml.read_text() + "".join(f"x{number} = 1\n" for number in range(60)))
    result = run("build", status=1)
    assert result.stderr.count("there is no setting") == 50
    assert "... and 10 more" in result.stderr


def test_a_fault_in_the_site_s_code_is_told_at_its_line(run: Run, folder: Path) -> None:
    models = folder / "bay_press/models.py"
    models.write_text(models.read_text() + "\nundefined_name\n")
    line = models.read_text().count("\n")
    result = run("routes", status=1)
    assert f"bay_press/models.py:{line}: NameError: name 'undefined_name' is not defined" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_syntax_error_is_told_at_its_line(run: Run, folder: Path) -> None:
    (folder / "bay_press/pages.py").write_text("def home(:\n")
    assert "bay_press/pages.py:1: Python cannot read it: " in run("routes", status=1).stderr


def test_traceback_shows_what_python_says(folder: Path) -> None:
    (folder / "bay_press/pages.py").write_text("1 / 0\n")
    told = in_process(folder, "--traceback", "routes")
    assert told.returncode == 1
    assert "Traceback (most recent call last)" in told.stderr
    assert "ZeroDivisionError" in told.stderr


def test_help_in_a_process_of_its_own_is_cheap(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def spent() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = spent()
    told = in_process(folder, "--help")
    with capsys.disabled():
        print(f"\n  toolkit --help: {spent() - before:.3f} s of CPU")
    assert told.returncode == 0
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "toolkit", "--help"], capture_output=True, text=True, check=True
    ).stderr
    for heavy in (
        "sqlalchemy",
        "jinja2",
        "rich",
        "lxml",
        "msgspec",
        "toolkit.site",
        "toolkit.models",
        "babel",
        "werkzeug",
    ):
        assert f" {heavy}\n" not in loaded, heavy


def test_the_version_is_told(folder: Path) -> None:
    assert in_process(folder, "--version").stdout.startswith("publishing-toolkit ")


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        ({"CI": "", "TERM": "xterm"}, True),
        ({"CI": "true", "TERM": "xterm"}, False),
        ({"CI": "", "TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"CI": "", "TERM": "dumb"}, False),
    ],
)
def test_colours_are_for_terminals_and_not_for_ci(folder: Path, environment: dict[str, str], coloured: bool) -> None:
    output = on_a_terminal(folder, ["build", "--workers", "1"], environment)
    assert "10 pages" in output
    assert ("\x1b[" in output) is coloured


def on_a_terminal(folder: Path, args: list[str], environment: dict[str, str]) -> str:
    """What the command writes to a terminal."""
    leader, follower = pty.openpty()
    variables = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    process = subprocess.Popen(
        [sys.executable, "-m", "toolkit", *args],
        cwd=folder,
        env={**variables, **environment},
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=subprocess.DEVNULL,
    )
    os.close(follower)
    parts = []
    while True:
        try:
            part = os.read(leader, 4096)
        except OSError:
            break
        if not part:
            break
        parts.append(part)
    process.wait()
    os.close(leader)
    return b"".join(parts).decode()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_command_runs_without_the_streams_that_it_was_begun_without(closed: str, tmp_path: Path) -> None:
    (tmp_path / "toolkit.toml").write_text('title = "The Press"\n')
    command = [sys.executable, "-m", "toolkit", "settings", "--site", str(tmp_path)]
    done = subprocess.run(["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *command], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"Error" not in done.stderr
