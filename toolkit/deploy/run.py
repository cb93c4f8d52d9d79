"""One deploy, from the lock to the last hook.

In place: the lock; the manifest at the target; the plan, refused if it deletes more than was agreed or writes over
files of others; a note of what is about to change; assets; pages; feeds, sitemaps and redirects; deletions, pages
before assets; the new manifest. Whatever ends it in between, the next deploy knows which files may be anything, and
brings them right.

With releases: the same into a folder of the release's own, with files that did not change linked or copied from the
release before; then one switch.

Then a CDN is told what changed, and only then the answers are compared: what readers get is what the CDN has.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from toolkit.builder import Builder
from toolkit.deploy.declarations import Declaration
from toolkit.deploy.files import Build, DeployFile, read_build
from toolkit.deploy.hooks import Hooks, purge_urls
from toolkit.deploy.hosts.choose import for_host
from toolkit.deploy.hosts.form import HostForm
from toolkit.deploy.lock import TargetLock, break_lock
from toolkit.deploy.placing import Place, Progress
from toolkit.deploy.plan import Plan
from toolkit.deploy.releases import (
    changed_paths,
    find_release,
    folder_of,
    lasting_assets,
    new_id,
    note_left,
    prune,
    read_index,
    reject,
    write_index,
)
from toolkit.deploy.report import DeployReport
from toolkit.deploy.state import Kept, TargetState, read_state, state_path
from toolkit.deploy.targets.base import Target
from toolkit.deploy.targets.open import make_target
from toolkit.deploy.untold import forget_untold, read_untold, write_untold
from toolkit.deploy.verify import Verifier, sample
from toolkit.errors import DeployError, Problems

Say = Callable[[str], None]


def _doubtful_urls(base_url: str, target_url: str) -> Iterator[str]:
    path = urlsplit(base_url).path.rstrip("/")
    if target_url and urlsplit(target_url).path.rstrip("/") != path:
        yield f"the target's url is {target_url}, and pages link to each other below {path or '/'}, as base_url says"
    if urlsplit(base_url).hostname in ("localhost", "127.0.0.1", "::1"):
        yield (
            f"base_url is {base_url}, so feeds, sitemaps and canonical URLs lead there: set it in toolkit.toml "
            "to where readers find the site, and build again"
        )


class Deployer:
    """Puts the last build of a site to one target.

    Args:
        site: A prepared site.
        declared: The target.
        output: Another output folder than the site's.
        build: What to put there, instead of what is in the output folder.
        max_deletes: Instead of what is declared.
        full: Believe no manifest at the target: compare everything by content.
        adopt: Write over files of others.
        breaks_lock: Remove the lock of a deploy that is known to be over.
        verify: How many files to fetch afterwards, instead of what is declared.
        hooks: Tell the CDN, and run what is declared for afterwards.
        say: Told of each step.
        progress: Told (done, total).
    """

    def __init__(
        self,
        site: Any,
        declared: Declaration,
        *,
        output: Path | None = None,
        build: Build | None = None,
        max_deletes: int | str | None = None,
        full: bool = False,
        adopt: bool = False,
        breaks_lock: bool = False,
        verify: int | str | None = None,
        hooks: bool = True,
        say: Say = lambda line: None,
        progress: Progress = lambda done, total: None,
    ) -> None:
        self.site = site.prepare()
        self.declared = declared
        self.output = output
        self.given = build
        self.max_deletes = declared.max_deletes if max_deletes is None else max_deletes
        self.full = full
        self.adopt = adopt
        self.breaks_lock = breaks_lock
        self.verify = declared.verify if verify is None else verify
        self.hooks = hooks
        self.say = say
        self.progress = progress
        self.target = make_target(site, declared)
        self._noted = False

    def build(self) -> tuple[Build, HostForm]:
        """What is to be at the target, and what its host is told besides.

        Raises:
            BuildError: There is no build, or its files are not as it left them.
            DeployError: The host cannot take it.
        """
        build = self.given or read_build(self.site, self.output)
        return for_host(build, self.declared.host, cname=self.declared.cname)

    def plan(self) -> Plan:
        """What a deploy would do. Nothing is changed.

        Raises:
            DeployError: The target cannot be reached or read.
        """
        build, _ = self.build()
        with reached(self.target):
            if self.declared.releases:
                return self._release_plan(build.files, self._release_before()[1])
            return Place(self.target, self._state()).plan(build.files, full=self.full, adopt=self.adopt)

    def deploy(self) -> DeployReport:
        """Put the build where readers are.

        Raises:
            TargetLocked: Another deploy is under way.
            DeployError: It was refused, and nothing was changed; or it could not be done, and deploying again goes on
                from there.
        """
        started = time.monotonic()
        self._check_hooks()
        with self._held_still():
            build, form = self.build()
            written = self._write_config(form)
            with reached(self.target):
                report = self._locked(build, form)
        doubtful = _doubtful_urls(self.site.settings.peek("base_url"), self.declared.url)
        report.notices += [*form.notices, *written, *doubtful]
        report.retries = self.target.retries.count
        report.seconds = time.monotonic() - started
        if self.hooks and report.purged:
            self._hooks().run(report.as_dict(), report.purged)
        return report

    def _hooks(self) -> Hooks:
        return Hooks(self.declared, self.site.folder, retries=self.target.retries)

    def _check_hooks(self) -> None:
        if self.hooks:
            self._hooks().check()

    def _tell(self, release: str, urls: list[str]) -> None:
        """Tell the host which release readers are to see, if that is another, and a CDN which URLs changed."""
        if not self.hooks:
            return
        hooks = self._hooks()
        if release:
            hooks.switch(release, urls)
        hooks.purge(urls)
        if self._noted:
            forget_untold(self.target)
            self._noted = False

    def _read_untold(self) -> set[str] | None:
        """What a deploy before changed, and did not come to tell."""
        if not (self.declared.switch or self.declared.purge) or self.target.is_whole:
            return None
        untold = read_untold(self.target)
        self._noted = untold is not None
        return untold

    def _note_untold(self, paths: Iterable[str]) -> None:
        """Note what is about to change, until it is told."""
        if (self.declared.switch or self.declared.purge) and not self.target.is_whole:
            write_untold(self.target, {*paths, *(read_untold(self.target) or ())} if self._noted else paths)
            self._noted = True

    @contextmanager
    def _held_still(self) -> Iterator[None]:
        """No build changes the files while they are sent."""
        if self.given is not None:
            yield
            return
        with Builder(self.site, output=self.output).target.locked():
            yield

    def _locked(self, build: Build, form: HostForm) -> DeployReport:
        if self.breaks_lock:
            break_lock(self.target)
        with TargetLock(self.target, seconds=self.declared.lock_seconds) as lock:
            self.target.clear()
            before = self.target.current() if self.declared.releases else ""
            earlier = self._read_untold()
            report = self._release(build, lock) if self.declared.releases else self._in_place(build, lock)
            report.changed = sorted({*report.changed, *(earlier or ())})
            report.purged = purge_urls(self.declared.url, report.changed)
            is_known = report.release == before and earlier is None
            self._tell("" if is_known else report.release, report.purged)
            if self.verify:
                report.verified = self._verify(build, form, report, before)
            return report

    def _verify(self, build: Build, form: HostForm, report: DeployReport, before: str) -> int:
        """Fetch what readers get; how many URLs were right.

        Raises:
            Problems: Some are wrong; if that is declared, readers see the release before again.
        """
        declared = self.declared
        verifier = Verifier(
            build,
            form,
            url=declared.url,
            host=declared.host,
            retries=self.target.retries,
            parallel=self.target.parallel,
        )
        files = sample(build, report.changed, self.verify)
        self.say(f"verification: {len(files)} files at {declared.url}")
        wrong = verifier.verify(files)
        if not wrong:
            return len(files)
        told = f"{len(wrong)} of {len(files) + 1} URLs answer otherwise than they should"
        problems = [DeployError(found.what, url=found.url) for found in wrong]
        if declared.rollback and before and before != report.release:
            urls = self._go_back(before)
            reject(self.target, report.release)
            told += f"; readers see the release {before} again"
            try:
                self._tell(before, urls)
            except DeployError as error:
                problems.append(error)
        raise Problems(problems, summary=told)

    def _write_config(self, form: HostForm) -> list[str]:
        """Write what whoever runs the host shall read, below the site's folder; says which files changed."""
        if not form.config or not self.declared.config:
            return []
        folder = self.site.folder / self.declared.config
        folder.mkdir(parents=True, exist_ok=True)
        changed = []
        for name, text in form.config.items():
            place = folder / name
            if not place.is_file() or place.read_text("utf-8") != text:
                place.write_text(text, "utf-8")
                changed.append(f"{place} changed: let {self.declared.host} read it")
        return changed

    # in place

    def _state(self) -> TargetState:
        """The manifest at the target; a damaged one counts for nothing where everything is compared anyway."""
        try:
            return read_state(self.target)
        except DeployError:
            if not self.full:
                raise
            return TargetState()

    def _in_place(self, build: Build, lock: TargetLock) -> DeployReport:
        place = Place(self.target, self._state(), check=lock.check, progress=self.progress)
        plan = place.plan(build.files, full=self.full, adopt=self.adopt)
        plan.check_obstacles()
        plan.check_deletions(self.max_deletes)
        changed = sorted({*plan.changed_paths, *place.state.untold})
        if not plan.is_empty:
            self._note_untold(changed)
            place.carry_out(plan, moment=build.moment, say=self.say)
            self.target.commit(f"Publish the build of {build.moment}")
        elif not place.state.complete or not place.state.known:
            place.note_complete(build.moment)
        return DeployReport(self.target.name, plan, changed=changed)

    # releases

    def _release_before(self) -> tuple[str, TargetState]:
        """The release that readers see, and its manifest."""
        current = self.target.current()
        return current, read_state(self.target, state_path(current)) if current else TargetState()

    def _release_plan(self, files: Mapping[str, DeployFile], before: TargetState) -> Plan:
        place = Place(self.target, before, carried=dict.fromkeys(before.carried, _NOTHING))
        return place.compare(files)

    def _release(self, build: Build, lock: TargetLock) -> DeployReport:
        current, before = self._release_before()
        plan = self._release_plan(build.files, before)
        plan.check_deletions(self.max_deletes)
        if plan.is_empty and current and not self.full:
            return DeployReport(self.target.name, plan, current, prune(self.target, self.declared.releases))
        release, state = self._begin_release(current)
        place = Place(
            self.target,
            state,
            folder_of(release),
            state_path(release),
            check=lock.check,
            progress=self.progress,
            source=folder_of(current) if current else "",
            linkable={} if self.full else before.files,
            carried=lasting_assets(build.files, before),
        )
        place.carry_out(place.plan(build.files), moment=build.moment, say=self.say)
        lock.check()
        self._note_untold(plan.changed_paths)
        self.target.switch(release)
        self.say(f"readers see the release {release}")
        pruned = prune(self.target, self.declared.releases)
        return DeployReport(self.target.name, plan, release, pruned, changed=plan.changed_paths)

    def roll_back(self, wanted: str = "previous") -> str:
        """Let readers see another release.

        Args:
            wanted: Its name, or ``previous``.

        Returns:
            The name of the one that they see now.

        Raises:
            DeployError: There is none, the target keeps no releases, or the host or CDN could not be told.
        """
        if not self.declared.releases:
            raise DeployError(
                f"deploy.{self.declared.name} keeps no releases, so there is nothing to go back to",
                hint="Write releases = 5, and deploy; or build the older state, and deploy that.",
            )
        self._check_hooks()
        with reached(self.target), TargetLock(self.target, seconds=self.declared.lock_seconds):
            current, found = self.target.current(), find_release(self.target, wanted)
            earlier = purge_urls(self.declared.url, self._read_untold() or ())
            urls = sorted({*self._go_back(found.id), *earlier})
            if found.id != current and current in (begun := read_index(self.target)):
                note_left(self.target, current, left=begun.index(found.id) < begun.index(current))
                note_left(self.target, found.id, left=False)
            self._tell(found.id, urls)
            return found.id

    def _go_back(self, release: str) -> list[str]:
        """Switch to an older release, which is given the assets of the pages that readers hold in this moment.

        Returns:
            The URLs whose answers are others now.
        """
        current, now = self._release_before()
        state = read_state(self.target, state_path(release))
        wanted = lasting_assets(state.files, now)
        if wanted and current != release:
            place = Place(
                self.target, state, folder_of(release), state_path(release), source=folder_of(current), carried=wanted
            )
            place.carry_over()
        changed = changed_paths(now, state)
        self._note_untold(changed)
        self.target.switch(release)
        return purge_urls(self.declared.url, changed)

    def _begin_release(self, current: str) -> tuple[str, TargetState]:
        """A new release, or the one that a deploy before could not finish."""
        index = read_index(self.target)
        if index and index[-1] != current:
            state = read_state(self.target, state_path(index[-1]))
            if not (state.known and state.complete):
                return index[-1], state
        name = new_id()
        write_index(self.target, [*index, name])
        return name, TargetState()


_NOTHING = Kept("", 0, "", 0)


@contextmanager
def reached(target: Target) -> Iterator[None]:
    """A target, opened; what its place says of trouble is told as ours.

    Raises:
        DeployError: It cannot be reached.
    """
    try:
        with target:
            yield
    except OSError as error:
        raise DeployError(
            f"{target.name}: {error}", hint="Mend that, and deploy again: it goes on from there."
        ) from error
