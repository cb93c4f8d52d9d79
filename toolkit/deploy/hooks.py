"""What follows a deploy: a host switches releases, a CDN is told which URLs changed, commands are run."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from toolkit.deploy.calls import call
from toolkit.deploy.declarations import Declaration
from toolkit.deploy.hosts.form import encoded_path
from toolkit.deploy.retries import Retries
from toolkit.errors import DeployError, SettingError
from toolkit.site.headers import url_of

BATCH = 30
"""URLs that a CDN takes at a time, if nothing is said (Cloudflare's limit for files)."""

TIMEOUT_SECONDS = 300


def purge_urls(base: str, paths: Iterable[str]) -> list[str]:
    """The absolute URLs of files whose answer may have changed.

    Args:
        base: Where readers find the site.
        paths: Of files that were put or removed.
    """
    return sorted({base.rstrip("/") + encoded_path(url_of(path)) for path in paths if not path.startswith(".")})


class Hooks:
    """What a target declares for afterwards.

    Args:
        declared: The target.
        folder: The site's, in which commands run.
        retries: For calls over the net.
        environment: Of this process, for tokens.
    """

    def __init__(
        self,
        declared: Declaration,
        folder: Path,
        *,
        retries: Retries,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.declared = declared
        self.folder = folder
        self.retries = retries
        self.environment = os.environ if environment is None else environment

    def check(self) -> None:
        """Refuse to begin where what is needed in the end is missing.

        Raises:
            SettingError: A variable that shall hold a token is not set.
        """
        name = self.declared.purge.get("token_env")
        if name and name not in self.environment:
            raise SettingError(f"deploy.{self.declared.name}.purge.token_env: the variable {name} is not set")

    def switch(self, release: str, urls: Sequence[str]) -> None:
        """Tell the host which release readers are to see.

        Raises:
            DeployError: The command failed.
        """
        if self.declared.switch:
            self._run(self.declared.switch, urls, {"release": release})

    def purge(self, urls: Sequence[str]) -> None:
        """Tell the CDN.

        Raises:
            DeployError: It did not take it.
        """
        purge = self.declared.purge
        if not purge or not urls:
            return
        if "command" in purge:
            self._run(str(purge["command"]), urls, {})
            return
        for batch in _batches(urls, int(purge.get("batch", BATCH))):
            body = {str(purge.get("key", "files")): batch}
            self._post(str(purge["post"]), body, token=self.environment.get(str(purge.get("token_env")), ""))

    def run(self, report: Mapping[str, Any], urls: Sequence[str]) -> None:
        """Run what is declared for after a deploy, in order.

        Raises:
            DeployError: One failed; those after it did not run.
        """
        for hook in self.declared.after:
            if hook.startswith(("http://", "https://")):
                self._post(hook, dict(report))
            else:
                self._run(hook, urls, report)

    def _run(self, command: str, urls: Sequence[str], report: Mapping[str, Any]) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            listed = Path(scratch) / "urls.txt"
            listed.write_text("".join(f"{url}\n" for url in urls), "utf-8")
            environment = {  # not TOOLKIT_…, which would be settings to a command of the toolkit
                **self.environment,
                "DEPLOY_TARGET": self.declared.name,
                "DEPLOY_URL": self.declared.url,
                "DEPLOY_RELEASE": str(report.get("release", "")),
                "DEPLOY_URLS": str(listed),
            }
            try:
                done = subprocess.run(
                    shlex.split(command), cwd=self.folder, env=environment, timeout=TIMEOUT_SECONDS, check=False,
                    capture_output=True, text=True,
                )  # fmt: skip
            except (OSError, subprocess.TimeoutExpired, ValueError) as error:
                raise self._failed(command, str(error)) from error
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            raise self._failed(command, f"it ended with {done.returncode}{f': {lines[-1]}' if lines else ''}")

    def _post(self, url: str, data: Mapping[str, Any], *, token: str = "") -> None:
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        body = json.dumps(data).encode()

        def post() -> None:
            answer = call(url, body=body, headers=headers, timeout_seconds=TIMEOUT_SECONDS)
            if answer.status >= 500 or answer.status == 429:
                raise OSError(f"status {answer.status}")
            if answer.status >= 300:
                raise self._failed(f"POST {url}", f"status {answer.status}")

        try:
            self.retries.run(post)
        except OSError as error:
            raise self._failed(f"POST {url}", str(error)) from error

    def _failed(self, what: str, why: str) -> DeployError:
        return DeployError(
            f"the build is deployed, but what follows failed: {what}: {why}",
            hint="Mend it, and deploy again: a host and a CDN are told then. What stands in 'after' is not repeated "
            "without changes: run it by hand.",
        )


def _batches(urls: Sequence[str], size: int) -> Iterator[list[str]]:
    waiting = iter(urls)
    while batch := list(islice(waiting, size)):
        yield batch
