"""Debian's Chromium as the tests drive it: without a window, and without a word to its makers."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_FOUND = [Path("/usr/bin", name) for name in ("chromium-headless-shell", "chromium")]

CHROMIUM = next((file for file in _FOUND if file.exists()), _FOUND[0])
"""The one built for this takes half the time; the whole browser shows the same."""

SWITCHES = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]

PATIENCE = 120_000.0
"""Milliseconds for which a page may take to show something, on a busy machine."""

with suppress(ImportError):  # whoever drives it asks for the package
    from playwright.sync_api import expect

    expect.set_options(timeout=PATIENCE)  # for all tests of a process: five seconds otherwise
