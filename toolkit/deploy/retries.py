"""Trying again what may work the next time."""

from __future__ import annotations

import errno
import random
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

FIRST_WAIT_SECONDS = 0.4
LONGEST_WAIT_SECONDS = 20.0

HOPELESS = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, FileExistsError)
"""Failures that waiting does not mend."""


_HOPELESS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP}


class Retries:
    """How often, and how long between.

    Args:
        tries: In all.
        sleep: Waits so many seconds.
    """

    def __init__(self, tries: int, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.tries = tries
        self.sleep = sleep
        self.count = 0

    def run(self, function: Callable[[], T]) -> T:
        """What a function gives, once it does: tried again after failures of the network or the other side.

        Raises:
            OSError: It failed every time.
        """
        for number in range(1, self.tries + 1):
            try:
                return function()
            except HOPELESS:
                raise
            except (OSError, EOFError) as error:
                if number == self.tries or getattr(error, "errno", None) in _HOPELESS:
                    raise
                self.count += 1
                self.sleep(wait_seconds(number))
        raise AssertionError("tries is at least 1")


def wait_seconds(number: int) -> float:
    """How long to wait after a failure: twice as long each time, and never quite the same for two who failed at once.

    Source: Marc Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015), "full jitter", with a floor.
    """
    longest: float = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** (number - 1))
    return longest / 2 + random.uniform(0, longest / 2)  # noqa: S311 - no secret
