"""What changed at a target and was told to nobody yet, kept there until the host and the CDN know.

A deploy can end between its last file and the call to a CDN, which would then keep what it has for ever.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from toolkit.deploy.targets.base import STATE, Target

UNTOLD = f"{STATE}/untold.json"


def read_untold(target: Target) -> set[str] | None:
    """Paths whose answer changed; None if everything was told."""
    body = target.read(UNTOLD)
    if body is None:
        return None
    try:
        return {str(path) for path in json.loads(body)}
    except (ValueError, TypeError):  # of a write that did not end, so nothing had changed yet
        return set()


def write_untold(target: Target, paths: Iterable[str]) -> None:
    """Note what is about to change."""
    body = json.dumps(sorted(paths)).encode()
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    target.retries.run(lambda: target.put(UNTOLD, body, headers))


def forget_untold(target: Target) -> None:
    """Note that everything was told."""
    target.retries.run(lambda: target.remove(UNTOLD))
