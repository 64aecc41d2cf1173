"""The page templates of `site/pages`: one Jinja environment for reports and site."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from wardbook.report.policy import Script, page_policy, search_policy
from wardbook.shipped import shipped_folder


def create_environment() -> Environment:
    """Return an environment in which every value is text unless it is marked as safe HTML."""
    environment = Environment(
        loader=FileSystemLoader(shipped_folder("site") / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    scripts = site_scripts()
    environment.globals["policy"] = page_policy(scripts.values())
    environment.globals["search_policy"] = search_policy(scripts.values())
    environment.globals["script"] = script_element
    environment.filters["web_address"] = web_address
    return environment


@cache
def page_environment() -> Environment:
    """Return the environment of this process."""
    return create_environment()


def script_element(name: str, assets: str) -> Markup:
    """Return the element that loads `site/assets/<name>` from the folder of assets of a page.

    Raises:
        KeyError: there is no such script.
    """
    script = site_scripts()[name]
    element = Markup('<script defer src="{}/{}" integrity="{}"></script>')
    return element.format(assets, script.file, script.integrity)


@cache
def site_scripts() -> Mapping[str, Script]:
    """Return the site's own scripts, by their names in `site/assets`."""
    folder = shipped_folder("site") / "assets"
    return {file.name: Script.of(file.stem, file.read_bytes()) for file in folder.glob("*.js")}


def read_assets() -> dict[str, bytes]:
    """Return the files that all pages share, by the names that pages know them by."""
    folder = shipped_folder("site") / "assets"
    scripts = site_scripts()
    return {
        scripts[file.name].file if file.name in scripts else file.name: file.read_bytes()
        for file in sorted(folder.iterdir())
    }


def web_address(text: str | None) -> str | None:
    """Return `text` if it is an http(s) address that may become a link, else None."""
    try:
        parts = urlsplit(text or "")
    except ValueError:
        return None
    return text if parts.scheme in ("http", "https") and parts.netloc else None
