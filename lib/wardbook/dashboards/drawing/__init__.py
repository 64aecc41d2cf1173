"""Pictures of panels as SVG for the site: no script, no style of their own, the same bytes."""
