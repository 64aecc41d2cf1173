"""A report on paper: its page, printed to a PDF by Chromium without anything but that page.

The page is the one that was checked; Chromium reads it from a folder of its own and reaches no
network. Two prints of a page differ in their dates, so a PDF is made once, and the receipt of that
report names it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from html import escape, unescape
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from wardbook.errors import EnvironmentFault
from wardbook.report.layout import read_assets
from wardbook.report.problem import ReportProblem

SECONDS = 60
_LINK = re.compile(r'(<a [^<>]*?)href="([^"]*)"')
_PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    # Nothing of a page may be asked of anybody: no name is resolved, whatever it says.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-pdf-header-footer",
    "--generate-pdf-document-outline",
    "--export-tagged-pdf",
)


def print_report(
    folder: Path, target: Path, *, address: str | None = None, seconds: float = SECONDS
) -> None:
    """Print the page of a report's folder, one that stands on the site or is staged for it.

    Args:
        folder: where `render_report` wrote it; it may be without its assets.
        target: the PDF; nothing is left there if it cannot be made.
        address: under which readers find the folder, with a slash at its end; without one, what the
            page says of its own files is no link on paper.
        seconds: how long Chromium may take.

    Raises:
        EnvironmentFault: Chromium is missing, failed, or took too long.
        ReportProblem: there is no page in the folder.
    """
    if not (folder / "index.html").is_file():
        raise ReportProblem(f"{folder}: no report. Name the folder that holds its index.html.")
    with tempfile.TemporaryDirectory(prefix="wardbook-pdf-") as scratch:
        page = _lay_out(folder, Path(scratch) / "site", address)
        printed = Path(scratch) / "report.pdf"
        _run_chromium(page, printed, Path(scratch) / "profile", seconds)
        part = target.with_name(f".{target.name}.part")
        shutil.copyfile(printed, part)
        part.replace(target)


def _lay_out(folder: Path, site: Path, address: str | None) -> Path:
    """Copy a report to where its page finds style and mark; returns the page."""
    copy = site / "reports" / "report" / "edition"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*.xlsx", "*.csv", "*.pdf"))
    (site / "assets").mkdir()
    for name, content in read_assets().items():
        (site / "assets" / name).write_bytes(content)
    page = copy / "index.html"
    page.write_text(_lead_to(page.read_text(encoding="utf-8"), address), encoding="utf-8")
    return page


def _lead_to(html: str, address: str | None) -> str:
    """Return a page of ours whose links to its own site lead to `address`, or nowhere.

    Else they would name the folder where the page was printed.
    """

    def lead(found: re.Match[str]) -> str:
        here = found[2].startswith("#") or urlsplit(unescape(found[2])).scheme
        if here:
            return found[0]
        return (
            f'{found[1]}href="{escape(urljoin(address, unescape(found[2])))}"'
            if address
            else found[1]
        )

    return _LINK.sub(lead, html)


def _run_chromium(page: Path, printed: Path, profile: Path, seconds: float) -> None:
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        raise EnvironmentFault(
            "no PDF: Chromium is not installed. Install the package chromium, or set pdf = false "
            "in [site]."
        )
    command = [program, *_SWITCHES, f"--user-data-dir={profile}", f"--print-to-pdf={printed}"]
    try:
        done = subprocess.run(
            [*command, page.as_uri()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # it may quote the page
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise EnvironmentFault(
            f"no PDF: Chromium took more than {seconds:g} s. Try again when the machine is less "
            "busy, or print a smaller report."
        ) from None
    if done.returncode != 0 or not printed.is_file():
        raise EnvironmentFault(
            f"no PDF: Chromium ended with code {done.returncode}. Start it once by hand: "
            f"{program} --headless --print-to-pdf=test.pdf about:blank"
        )
