"""What software a result is made with, found without importing any of it.

Python's packages are told by the names of their `.dist-info` folders (a part of the format), R's by
their DESCRIPTION files, and this platform by the content of its files: an editable installation
keeps its version while its code changes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from wardbook.files import write_atomically

Environment = Mapping[str, str]
"""Package to version; `python` or `R` is the interpreter, `wardbook` this platform's code."""

_INSTALLED = re.compile(
    r"(?P<name>[A-Za-z0-9._]+)-(?P<version>[^-]+)(-py[0-9.]+)?\.(dist|egg)-info"
)
_R_LIBRARIES = (
    "/usr/local/lib/R/site-library",
    "/usr/lib/R/site-library",
    "/usr/lib/R/library",
)
_DESCRIBED = re.compile(rb"^(Package|Version):\s*(\S+)", re.MULTILINE)


def platform_version() -> str:
    """Return the version of this platform."""
    from importlib import metadata  # slow to import, and seldom needed

    return metadata.version("wardbook")


def environment_digest() -> str:
    """Return the digest of the environment in which this process and its Python runs live."""
    return digest_of(describe_environment("python3"))


def describe_environment(kernel: str) -> Environment:
    """Return what a notebook on this kernel can meet: `ir` is R, anything else this Python."""
    installed = describe_python(sys.path)
    ours = {"wardbook": f"{installed.get('wardbook', '?')}+{digest_code()[:12]}"}
    return (describe_r(os.environ) if kernel == "ir" else installed) | ours


def describe_python(path: Iterable[str]) -> dict[str, str]:
    """Return the packages on an import path, the first of a name as Python finds it."""
    found: dict[str, str] = {}
    for folder in path:
        for entry in _list(folder):
            match = _INSTALLED.fullmatch(entry)
            if match:
                name = re.sub(r"[-_.]+", "-", match["name"]).lower()
                found.setdefault(name, match["version"])
    return found | {"python": ".".join(map(str, sys.version_info[:3]))}


def describe_r(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the packages of R's libraries; nothing where R is not installed."""
    named = (environ.get(name, "") for name in ("R_LIBS", "R_LIBS_USER", "R_LIBS_SITE"))
    libraries = [folder for value in named for folder in value.split(":") if folder]
    found: dict[str, str] = {}
    for library in (*libraries, *_R_LIBRARIES):
        for entry in _list(library):
            try:
                text = Path(library, entry, "DESCRIPTION").read_bytes()
            except OSError:
                continue
            fields = {
                key: value.decode(errors="replace") for key, value in _DESCRIBED.findall(text)
            }
            found.setdefault(fields.get(b"Package", entry), fields.get(b"Version", ""))
    if "base" in found:
        found["R"] = found["base"]  # it has R's own version
    return found


def digest_code(package: Path = Path(__file__).parent) -> str:
    """Return the SHA-256 over names and bytes of a package's files, compiled ones left out."""
    total = hashlib.sha256()
    for name in sorted(_walk(str(package), "")):
        content = Path(package, name).read_bytes()
        total.update(f"{name}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()


def digest_of(environment: Environment) -> str:
    """Return the SHA-256 of an environment."""
    lines = (f"{name}=={version}" for name, version in sorted(environment.items()))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def keep_environment(folder: Path, environment: Environment) -> str:
    """Keep an environment in `folder` once, by its digest, and return that."""
    digest = digest_of(environment)
    file = folder / f"{digest}.json"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(file, json.dumps(dict(sorted(environment.items())), indent=1))
    return digest


def kept_environment(folder: Path, digest: str) -> Environment | None:
    """Return the environment of a digest, or None where it was not kept."""
    try:
        found: dict[str, str] = json.loads((folder / f"{digest}.json").read_bytes())
    except FileNotFoundError:
        return None
    return found


def _list(folder: str) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(folder or "."))
    except OSError:
        return []  # a zip archive, or nothing: Python itself passes over it


def _walk(folder: str, inside: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith((".", "__pycache__")):
                continue
            if entry.is_dir():
                yield from _walk(entry.path, f"{inside}{entry.name}/")
            else:
                yield inside + entry.name
