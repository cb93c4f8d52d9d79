"""What ``toolkit check`` looks at: declarations, templates, catalogs, content, and every page of a build."""

from toolkit.checks.findings import CHECKS, Finding
from toolkit.checks.messages import extract_messages
from toolkit.checks.run import CheckReport, check_site

__all__ = ["CHECKS", "CheckReport", "Finding", "check_site", "extract_messages"]
