"""The page templates of `site/pages`: one Jinja environment for reports and site."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from wardbook.shipped import shipped_folder

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'"
)

HEADERS = (
    # Frames of other pages can be forbidden by the header alone, not by a page's own policy.
    ("Content-Security-Policy", f"{CONTENT_SECURITY_POLICY}; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
)
"""What every server of the site sends with every file."""

APACHE_FILE = ".htaccess"


def apache_headers() -> str:
    """Return the site's `.htaccess`: the headers, and no list of a folder.

    Apache needs mod_headers and `AllowOverride FileInfo Options` for the folder; without the
    module it answers nothing rather than pages without their policy.
    """
    lines = [f'Header always set {name} "{value}"' for name, value in HEADERS]
    return "\n".join(["Options -Indexes", *lines, ""])


def create_environment() -> Environment:
    """Return an environment in which every value is text unless it is marked as safe HTML."""
    environment = Environment(
        loader=FileSystemLoader(shipped_folder("site") / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["policy"] = CONTENT_SECURITY_POLICY
    environment.filters["web_address"] = web_address
    return environment


@cache
def page_environment() -> Environment:
    """Return the environment of this process."""
    return create_environment()


def read_assets() -> dict[str, bytes]:
    """Return the files that all pages share, by name."""
    folder: Path = shipped_folder("site") / "assets"
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def web_address(text: str | None) -> str | None:
    """Return `text` if it is an http(s) address that may become a link, else None."""
    try:
        parts = urlsplit(text or "")
    except ValueError:
        return None
    return text if parts.scheme in ("http", "https") and parts.netloc else None
