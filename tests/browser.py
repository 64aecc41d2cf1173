"""Debian's Chromium as the tests drive it: without a window, and without a word to its makers."""

from __future__ import annotations

from pathlib import Path

_FOUND = [Path("/usr/bin", name) for name in ("chromium-headless-shell", "chromium")]

CHROMIUM = next((file for file in _FOUND if file.exists()), _FOUND[0])
"""The one built for this takes half the time; the whole browser shows the same."""

SWITCHES = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
