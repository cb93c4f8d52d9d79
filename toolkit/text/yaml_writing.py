"""YAML that libyaml writes, which takes a quarter of the time, with the very bytes that PyYAML would write."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

_WRITTEN_OTHERWISE = re.compile(r"\\U|^[ -]*(?:\? |'':|['\"].{100})", re.MULTILINE)
"""What libyaml may write in another way: characters beyond U+FFFF, which it escapes, and odd keys."""


def written(value: Any, dumper: Callable[[Any], Any]) -> str:
    """A value as YAML, with keys in their order, lines of any length, and letters as they are.

    Args:
        value: The value.
        dumper: Gives the class that writes it, made from one of PyYAML's; it should make each once.
    """
    import yaml

    dump = partial(yaml.dump, value, allow_unicode=True, sort_keys=False, default_flow_style=False, width=1 << 30)
    fast = getattr(yaml, "CSafeDumper", None)
    text = "" if fast is None else str(dump(Dumper=dumper(fast)))
    return text if text and not _WRITTEN_OTHERWISE.search(text) else str(dump(Dumper=dumper(yaml.SafeDumper)))
