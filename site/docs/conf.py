"""Sphinx's configuration of the site's documentation.

`wardbook.pages.docs` gathers the sources into one folder and says the unit's name and language.
"""

extensions = ["myst_nb"]
root_doc = "index"
exclude_patterns = ["jupyter_execute"]
nitpicky = True

html_theme = "pydata_sphinx_theme"
html_title = "Documentation"
html_static_path = ["_static"]
html_favicon = "_static/mark.svg"
templates_path = ["_templates"]
html_css_files = ["docs.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_use_index = False
html_domain_indices = False
html_last_updated_fmt = None
html_permalinks = False
html_sidebars = {"**": ["sidebar-nav-bs"]}
html_theme_options = {
    "logo": {"text": "Documentation"},
    "navbar_start": ["navbar-logo"],
    "navbar_center": [],
    "navbar_end": ["site-links"],
    "navbar_persistent": [],
    "article_header_start": [],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "use_edit_page_button": False,
    "navigation_with_keys": False,
    "back_to_top_button": False,
    "show_prev_next": True,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}

# A notebook that fails fails the build; one that was executed before as it stands is not again.
nb_execution_mode = "cache"
nb_execution_timeout = 180
nb_execution_raise_on_error = True
nb_merge_streams = True
# Tables as text: their HTML brings a style of its own, which the pages' policy does not allow.
nb_mime_priority_overrides = [("html", "text/html", None)]

myst_heading_anchors = 4
myst_links_external_new_tab = False
suppress_warnings = ["misc.highlighting_failure"]  # pages that leave something out with "…"
