"""What software a result was made with."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import metadata


def platform_version() -> str:
    """Return the version of this platform."""
    return metadata.version("wardbook")


@cache
def environment_digest() -> str:
    """Return the SHA-256 over name and version of every installed package, sorted."""
    packages = {f"{dist.name.lower()}=={dist.version}" for dist in metadata.distributions()}
    return hashlib.sha256("\n".join(sorted(packages)).encode()).hexdigest()
