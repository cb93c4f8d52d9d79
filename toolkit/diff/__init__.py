"""Two builds side by side: which pages came, went, moved and changed, and what changed in their text."""

from __future__ import annotations
