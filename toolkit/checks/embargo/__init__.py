"""``toolkit check --embargo``: proves that nothing of a hidden row is in what is published."""

from toolkit.checks.embargo.check import Embargo, check_embargo

__all__ = ["Embargo", "check_embargo"]
