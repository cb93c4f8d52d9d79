"""The renditions of a build: those of the images that its pages show, made side by side where none made them yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

from toolkit.builder.outputs import Output
from toolkit.builder.records import FileRecord
from toolkit.builder.report import BuildReport
from toolkit.builder.targets import TargetStaging
from toolkit.errors import ImageError, Problems, ToolkitError
from toolkit.images import Rendition
from toolkit.site.stored import shown_files
from toolkit.trace import READER, digest_bytes

Key = tuple[str, str, str, str]


class RenditionFiles:
    """Makes the renditions of a build and stages them.

    Args:
        site: The prepared site.
        report: Is told of each rendition that is made, and of images that are left out.
        known: The files of the last build.
        suspect: Paths of files that are not as it left them.
        workers: How many are made at a time. Pillow lets others run while it unpacks, scales and encodes.
    """

    def __init__(
        self, site: Any, report: BuildReport, *, known: Mapping[str, FileRecord], suspect: set[str], workers: int
    ) -> None:
        self.images = site.images
        self.site = site
        self.report = report
        self.known = known
        self.suspect = suspect
        self.workers = workers
        self._staging = Lock()

    def stage(self, staging: TargetStaging, keys: Iterable[Key]) -> Iterator[Output]:
        """The outputs for the images that pages show, given as inputs of their traces.

        A file that the last build left where it belongs is not looked at: its name stands for its content.

        Raises:
            Problems: Images that are damaged, or were changed while the build ran.
        """
        wanted, problems = self._wanted(self._shown(keys))
        missing: dict[bytes, list[Rendition]] = {}
        for place, rendition in wanted.items():
            record = self.known.get(place)
            if record is not None and place not in self.suspect and record.owner == "rendition":
                yield Output(place, record.digest, record.size, "rendition", False)
            else:
                missing.setdefault(rendition.content, []).append(rendition)
        yield from self._made(staging, list(missing.values()), problems)
        if problems:
            raise Problems(problems, summary="images could not be made; nothing was published")

    def _shown(self, keys: Iterable[Key]) -> list[Key]:
        """Without images that only hidden rows have: a page that shows one of those shows too much."""
        found = sorted(set(keys))
        storages = {key[1] for key in found if key[0] == "stored"}
        if not storages:
            return found
        shown = shown_files(self.site, self.site.scope(viewer=READER, moment=self.report.moment), storages)
        hidden = {key[1:3] for key in found if key[0] == "stored"} - shown
        self.report.notices += [
            f"the image {name} belongs to no row that readers see: it is not published" for _, name in sorted(hidden)
        ]
        return [key for key in found if key[0] != "stored" or key[1:3] not in hidden]

    def _wanted(self, keys: Sequence[Key]) -> tuple[dict[str, Rendition], list[ToolkitError]]:
        """Place to rendition, of all images; and what is wrong with some."""
        wanted: dict[str, Rendition] = {}
        problems: list[ToolkitError] = []
        for key in keys:
            try:
                wanted.update((self.images.place(one), one) for one in self.images.renditions(key))
            except ImageError as error:
                problems.append(error)
        return wanted, problems

    def _made(
        self, staging: TargetStaging, groups: Sequence[Sequence[Rendition]], problems: list[ToolkitError]
    ) -> Iterator[Output]:
        """Make and stage the renditions of some images, each group of one file."""
        before = self.images.encoded

        def make(group: Sequence[Rendition]) -> list[Output] | ToolkitError:
            try:
                bodies = self.images.make(group)
            except ToolkitError as error:
                return error
            return [self._staged(staging, one, bodies[one.key]) for one in group]

        with ThreadPoolExecutor(max(1, min(self.workers, len(groups)))) as pool:
            for result in pool.map(make, groups):
                if isinstance(result, ToolkitError):
                    problems.append(result)
                else:
                    yield from result
        self.report.encoded = self.images.encoded - before

    def _staged(self, staging: TargetStaging, rendition: Rendition, body: bytes) -> Output:
        place = self.images.place(rendition)
        with self._staging:
            staging.put(place, body)
        return Output(place, digest_bytes(body), len(body), "rendition", True)
