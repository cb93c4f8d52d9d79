"""The site: settings, apps, database, templates and locales, joined."""

from toolkit.site.site import STATE_FOLDER, Site, find_folder, load_site

__all__ = ["STATE_FOLDER", "Site", "find_folder", "load_site"]
