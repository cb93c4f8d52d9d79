"""Maps of the site's own geometry: drawn at build time, and moved by hand in the browser."""
