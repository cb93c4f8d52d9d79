"""What ``toolkit check`` looks at: declarations, templates, catalogs, content, and every page of a build."""

from toolkit.checks.catalogue import CHECKS
from toolkit.checks.findings import Finding
from toolkit.checks.messages import extract_messages
from toolkit.checks.run import CheckReport, Wanted, check_site

__all__ = ["CHECKS", "CheckReport", "Finding", "Wanted", "check_site", "extract_messages"]
