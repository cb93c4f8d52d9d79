"""Bringing one place (a target, or one release there) to hold a build: in phases, noted down as it goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from toolkit.deploy.files import PHASES, DeployFile
from toolkit.deploy.plan import Plan, make_plan
from toolkit.deploy.state import IN_PLACE, Kept, TargetState, write_state
from toolkit.deploy.targets.base import Target

CHECKPOINT_SECONDS = 5.0
"""How often a long deploy notes how far it came."""

FEW = 500
"""For up to so many new paths each is asked for; for more the target is listed."""

Progress = Callable[[int, int], None]


@dataclass
class Place:
    """Where one tree of files is kept.

    Args:
        target: The place.
        state: Its manifest; changed as files come and go.
        prefix: Before every path, such as ``releases/ID/``; empty for the target itself.
        state_path: Where the manifest is kept.
        check: Called before each file is counted; raises to end the deploy.
        progress: Told (done, total).
        source: The prefix of another place at the target, whose files need not be sent again.
        linkable: What is there.
        carried: What is there and shall be here too, though the build does not have it.
    """

    target: Target
    state: TargetState
    prefix: str = ""
    state_path: str = IN_PLACE
    check: Callable[[], None] = lambda: None
    progress: Progress = lambda done, total: None
    source: str = ""
    linkable: Mapping[str, Kept] = field(default_factory=dict)
    carried: Mapping[str, Kept] = field(default_factory=dict)
    checkpoint_seconds: float = CHECKPOINT_SECONDS
    _done: int = 0
    _total: int = 0
    _noted: float = 0.0

    def plan(self, files: Mapping[str, DeployFile], *, full: bool = False, adopt: bool = False) -> Plan:
        """What is to do, with the files of others that stand in the way; asks the target, and changes nothing there.

        Args:
            files: What is to be there.
            full: Believe no manifest: compare everything by content.
            adopt: Write over files of others.
        """
        if full:
            self._look_again(files)
        elif self.state.pending:
            self._look_at(sorted(self.state.pending), files)
        plan = self._plan(files)
        fresh = [file for file in plan.uploads if plan.reasons[file.path] == "new"]
        found = self._there([file.path for file in fresh])
        if not found:
            return plan
        self._take_in([file for file in fresh if file.path in found])
        again = self._plan(files)
        obstacles = [] if adopt else sorted(path for path in found - self.state.ours if not self._is_our_folder(path))
        return replace(again, obstacles=obstacles)

    def compare(self, files: Mapping[str, DeployFile]) -> Plan:
        """What differs between the manifest and what shall be, by the manifest alone."""
        return self._plan(files)

    def note_complete(self, moment: str) -> None:
        """Write a manifest where all is right and none says so."""
        self._finish(moment)

    def _plan(self, files: Mapping[str, DeployFile]) -> Plan:
        plan = make_plan(files, self.state, keeps_headers=self.target.keeps_headers)
        return replace(plan, deletions=[path for path in plan.deletions if path not in self.carried])

    def _there(self, paths: Sequence[str]) -> set[str]:
        if not paths or self.prefix:
            return set()  # a release's folder is ours alone
        if len(paths) <= FEW:
            return self.target.find(paths)
        return {listed.path for listed in self.target.list()} & set(paths)

    def _is_our_folder(self, path: str) -> bool:
        """Whether a folder is there, with nothing in it but files of ours."""
        ours = {other for other in self.state.ours if other.startswith(f"{path}/")}
        return bool(ours) and {listed.path for listed in self.target.list(path)} <= ours

    def _take_in(self, files: Sequence[DeployFile]) -> None:
        """Files that are there, whoever put them, and have the very content: ours from now on."""
        same = self._same(files)
        for file in files:
            if file.path in same:
                mark = "" if self.target.keeps_headers else file.mark
                self.state.files[file.path] = Kept(file.digest, file.size, mark, file.phase)

    def _same(self, files: Sequence[DeployFile]) -> set[str]:
        """Paths of files whose very content is there."""
        found = self.target.same({self.prefix + file.path: file for file in files})
        return {file.path for file in files if self.prefix + file.path in found}

    def _look_at(self, paths: Sequence[str], files: Mapping[str, DeployFile]) -> None:
        """What became of files that an interrupted deploy was about to write: those that arrived need not go again."""
        if self.target.keeps_headers:  # of which nobody knows
            return
        same = self._same([files[path] for path in paths if path in files])
        for path in paths:
            if path in same:
                file = files[path]
                del self.state.pending[path]
                self.state.files[path] = Kept(file.digest, file.size, file.mark, file.phase)

    def _look_again(self, files: Mapping[str, DeployFile]) -> None:
        """Compare by content all that is there with what shall be."""
        there = {listed.path.removeprefix(self.prefix) for listed in self.target.list(self.prefix.rstrip("/"))}
        for path in sorted(self.state.ours - there):
            self.state.files.pop(path, None)
            self.state.pending.pop(path, None)
        known = sorted(there & files.keys())
        same = self._same([files[path] for path in known])
        for path in known:
            file = files[path]
            if path in same:
                mark = "" if self.target.keeps_headers else file.mark
                self.state.pending.pop(path, None)
                self.state.files[path] = Kept(file.digest, file.size, mark, file.phase)
            elif path in self.state.files:
                self.state.pending[path] = self.state.files.pop(path).phase

    def carry_out(self, plan: Plan, *, moment: str, say: Callable[[str], None]) -> None:
        """Do what was planned.

        Args:
            plan: Checked.
            moment: The instant that the build shows.
            say: Told when a phase begins.

        Raises:
            DeployError: Something could not be done; deploying again goes on from there.
        """
        self._announce(plan)
        self._total = len(plan.uploads) + len(plan.deletions)
        first = plan.in_the_way()
        if first:
            self._remove(first)
        if self.carried:
            self._carry_over()
        for number, told in PHASES.items():
            files = plan.phase(number)
            if files:
                say(f"{told}: {len(files)} files, {sum(file.size for file in files):,} bytes")
                self._put(files)
        rest = [path for path in plan.deletions if path not in set(first)]
        if rest:
            say(f"deletions: {len(rest)} files")
            self._remove_in_order(rest)
        self._finish(moment)

    def _announce(self, plan: Plan) -> None:
        """Note what is about to change, before anything does."""
        state = self.state
        state.complete = False
        state.untold.update(plan.changed_paths)
        for file in plan.uploads:
            state.files.pop(file.path, None)
            state.pending[file.path] = file.phase
        for path in plan.deletions:
            kept = state.files.pop(path, None)
            state.pending[path] = kept.phase if kept is not None else state.pending.get(path, 0)
        self._note()

    def _put(self, files: Sequence[DeployFile]) -> None:
        by_path = {file.path: file for file in files}

        def done(path: str) -> None:
            file = by_path[path]
            self.state.pending.pop(path, None)
            self.state.files[path] = Kept(file.digest, file.size, file.mark, file.phase)
            self._step()

        rest = self._link(files, done)
        if rest:
            self.target.put_all(self.prefix, rest, done)

    def _link(self, files: Sequence[DeployFile], done: Callable[[str], None]) -> Sequence[DeployFile]:
        """Take files from the other place; those that it does not have are given back, to be sent."""
        same = {file.path for file in files if self._has_same(file)}
        if same:
            try:
                self.target.link_all(self.source, self.prefix, sorted(same), done)
            except FileNotFoundError:  # somebody removed it there
                return [file for file in files if file.path in self.state.pending]
        return [file for file in files if file.path not in same]

    def _has_same(self, file: DeployFile) -> bool:
        kept = self.linkable.get(file.path)
        if kept is None or kept.digest != file.digest:
            return False
        return kept.mark == file.mark or not self.target.keeps_headers

    def carry_over(self) -> None:
        """Take what is to be carried over from the other place, and note it."""
        before = self.state.carried
        self._carry_over()
        self.state.carried |= before
        self._note()

    def _carry_over(self) -> None:
        wanted = sorted(path for path in self.carried if path not in self.state.files)

        def done(path: str) -> None:
            self.state.files[path] = self.carried[path]

        with suppress(FileNotFoundError):  # nobody can miss what is not there any more
            self.target.link_all(self.source, self.prefix, wanted, done)
        self.state.carried = {path for path in self.carried if path in self.state.files}

    def _remove_in_order(self, paths: Sequence[str]) -> None:
        """Pages before assets: none is left without what it needs."""
        assets = [path for path in paths if self.state.pending.get(path) == 0]
        known = set(assets)
        self._remove([path for path in paths if path not in known])
        self._remove(assets)

    def _remove(self, paths: Sequence[str]) -> None:
        def done(path: str) -> None:
            self.state.pending.pop(path, None)
            self._step()

        self.target.remove_all(self.prefix, paths, done)

    def _step(self) -> None:
        self.check()
        self._done += 1
        self.progress(self._done, self._total)
        if time.monotonic() - self._noted > self.checkpoint_seconds:
            self._note()

    def _note(self) -> None:
        if not self.target.is_whole:
            write_state(self.target, self.state, self.state_path)
        self._noted = time.monotonic()

    def _finish(self, moment: str) -> None:
        state = self.state
        state.pending.clear()
        state.untold.clear()
        state.complete, state.moment = True, moment
        state.at = datetime.now(UTC).isoformat(timespec="seconds")
        write_state(self.target, state, self.state_path)
