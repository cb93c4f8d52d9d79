"""Serving a site with granian, the embedded server. Any other WSGI server serves ``site.wsgi`` as well."""

from __future__ import annotations

import errno
import importlib
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from toolkit.errors import ToolkitError
from toolkit.folders import FILE_NAME
from toolkit.server.application import Application
from toolkit.server.broken import BrokenSite
from toolkit.server.reload import replaces_process
from toolkit.server.watching import watched_folders
from toolkit.site import Site, load_site

THREADS = 8
"""More than cores, because a request whose body is awaited from a slow reader waits in a thread too."""

PREVIEW_THREADS = 64
"""Each open page of a preview waits in a thread."""

STOP_SECONDS = 3
"""How long requests may take to finish when the server is told to stop."""


def serve(
    site: Site,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    preview: bool = False,
    workers: int = 1,
    threads: int | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        site: The site.
        host: Address to listen at; other machines can ask only at one that is not loopback.
        port: TCP port.
        preview: Show drafts, and reload pages when they change; changed Python code starts the worker anew.
        workers: Processes that answer; a preview has one.
        threads: Requests that one process answers at a time.

    Raises:
        ToolkitError: The address cannot be listened at, or the site is not as it should be.
    """
    site.prepare()
    check_address(host, port)
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    options: dict[str, Any] = {"reload": True, "reload_filter": _source_filter(site)} if preview else {}
    server = Server(
        "toolkit",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1 if preview else workers,
        blocking_threads=threads or (PREVIEW_THREADS if preview else THREADS),
        workers_kill_timeout=STOP_SECONDS,
        respawn_failed_workers=not preview,
        log_level=LogLevels.error,  # at "warning" it complains of more threads than cores, which are meant
        websockets=False,
        reload_paths=watched_folders(site),
        reload_ignore_worker_failure=True,
        **options,
    )
    site.databases.close()  # a connection must not be shared with the processes that are forked from this one
    server.serve(target_loader=_loader(site, preview), wrap_loader=False)


def check_address(host: str, port: int) -> None:
    """Refuse an address that cannot be listened at.

    Raises:
        ToolkitError: Says which, and why.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = "it is taken" if taken else str(error.strerror or error).lower()
        hint = (
            "Stop what listens there, or choose another with --port." if taken else "Choose another --host or --port."
        )
        raise ToolkitError(f"cannot listen at {host}:{port}: {reason}", hint=hint) from error


def _loader(site: Site, preview: bool) -> Callable[..., Any]:
    """What a worker calls to get its application. A preview's imports the site anew: its code may have changed."""
    parent = os.getpid()

    def load(*_: Any) -> Any:
        logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
        threading.Thread(target=_end_with, args=(parent,), name="toolkit-parent", daemon=True).start()
        site.databases.forget()
        return _preview_of(site) if preview else site.wsgi

    return load


def _preview_of(site: Site) -> Any:
    """The preview of a site as its files are now, or of what is wrong with them."""
    try:
        return _closing_when_told(Application(_imported_anew(site), preview=True))
    except Exception as error:  # noqa: BLE001 - whatever their code raises, the people who wrote it are shown
        return BrokenSite(error, site=site)


def _closing_when_told(application: Application) -> Application:
    """Let the requests go that wait for a change, as soon as this worker is told to stop: it would wait for them."""
    told, telling = os.pipe()
    os.set_blocking(telling, False)
    signal.set_wakeup_fd(telling)  # of signals that are handled, as granian does those that stop it

    def close() -> None:
        os.read(told, 1)
        application.close()

    threading.Thread(target=close, name="toolkit-stopping", daemon=True).start()
    return application


def _end_with(parent: int) -> None:
    """End this worker when the process that started it was killed and could not: it would go on holding the port."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGKILL)


def _imported_anew(site: Site) -> Site:
    """The site, from the source code as it is now; as it was, if it is not one that the settings name."""
    if not site.settings.peek("site"):
        return site
    packages = {app.package.partition(".")[0] for app in site.apps if _is_own(site, app.folder)}
    packages.add(site.settings.peek("site").partition(":")[0].partition(".")[0])
    for name in [name for name in sys.modules if name.partition(".")[0] in packages]:
        del sys.modules[name]
    importlib.invalidate_caches()
    return load_site(site.folder, settings=site.overrides)


def _is_own(site: Site, folder: Path) -> bool:
    """Whether an app lives in the site's folder: the code that its people edit."""
    return folder.is_relative_to(site.folder)


def _source_filter(site: Site) -> Any:
    """For granian's reloader: Python sources and the settings, but none that a build wrote."""
    from watchfiles import PythonFilter

    class SourceFilter(PythonFilter):
        def __call__(self, change: Any, path: str) -> bool:
            place = Path(path)
            if place.is_relative_to(site.state_folder):
                return False
            return replaces_process(place) and (place.name == FILE_NAME or super().__call__(change, path))

    return SourceFilter
