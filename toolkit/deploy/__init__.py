"""Putting a build where readers are: planned by content, in an order that never shows half of it, and undone at once.

See ``toolkit.deploy.run`` for what a deploy does, step by step.
"""

from __future__ import annotations
