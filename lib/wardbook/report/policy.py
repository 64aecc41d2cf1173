"""What a page of the site may load: its policy, as the page, Apache and our own server say it.

No page holds a script or a style of its own. A script is one of the site's files, named by its
hash: the policy admits that content and no other, wherever it lies.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

APACHE_FILE = ".htaccess"
_CLOSED = (
    "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'"
)
_HEADER = re.compile(r'Header always set (\S+) "([^"]*)"')


@dataclass(frozen=True)
class Script:
    """A script of the site: its file below `assets/`, and its hash as pages and policies name it.

    The file's name holds the hash too. A report that was published with an earlier script goes on
    finding that one.
    """

    file: str
    integrity: str

    @classmethod
    def of(cls, name: str, content: bytes) -> Script:
        """Return the script with this content; `name` is without an ending."""
        digest = hashlib.sha256(content)
        integrity = f"sha256-{base64.b64encode(digest.digest()).decode()}"
        return cls(f"{name}-{digest.hexdigest()[:12]}.js", integrity)


def page_policy(scripts: Iterable[Script]) -> str:
    """Return the policy of reports and of all pages of the site that are not named below."""
    hashes = _hashes(scripts) or "'none'"
    return f"{_CLOSED}; script-src {hashes}"


def search_policy(scripts: Iterable[Script]) -> str:
    """Return the policy of the search page: Pagefind is a module, a worker and WebAssembly."""
    allowed = f"{_hashes(scripts)} 'self' 'wasm-unsafe-eval'".strip()
    return f"{_CLOSED}; script-src {allowed}; connect-src 'self'; worker-src 'self'"


def headers_with(policy: str) -> tuple[tuple[str, str], ...]:
    """Return what a server of the site sends with every file under this policy."""
    return (
        # Frames of other pages can be forbidden by the header alone, not by a page's own policy.
        ("Content-Security-Policy", f"{policy}; frame-ancestors 'none'"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
    )


def write_apache(policy: str) -> str:
    """Return a folder's `.htaccess`: the headers, and no list of a folder.

    Apache needs mod_headers and `AllowOverride FileInfo Options` for the folder; without the
    module it answers nothing rather than pages without their policy.
    """
    lines = [f'Header always set {name} "{value}"' for name, value in headers_with(policy)]
    return "\n".join(["Options -Indexes", *lines, ""])


def read_headers(public: Path, file: Path) -> tuple[tuple[str, str], ...]:
    """Return the headers that Apache would send with `file`: those of its nearest `.htaccess`.

    Without one below `public`, those of a page that runs no script.
    """
    for folder in file.parents:
        if not folder.is_relative_to(public):
            break
        if (folder / APACHE_FILE).is_file():
            return tuple(_HEADER.findall((folder / APACHE_FILE).read_text(encoding="utf-8")))
    return headers_with(page_policy(()))


def published_scripts(public: Path) -> tuple[Script, ...]:
    """Return the scripts that lie under `public`, also those of earlier versions."""
    files = sorted((public / "assets").glob("*.js"))
    return tuple(Script.of(file.stem.rpartition("-")[0], file.read_bytes()) for file in files)


def _hashes(scripts: Iterable[Script]) -> str:
    return " ".join(sorted(f"'{script.integrity}'" for script in scripts))
