"""Which folder `wardbook report pdf` prints, and where the links of the PDF lead."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.cli import report
from tests.sample_settings import make_settings
from wardbook.report import pdf
from wardbook.report.problem import ReportProblem

SITE = "https://unit.pages.hospital.example"


class Unit:
    """As much of the command line's context as the command asks for."""

    def settings(self):
        return make_settings()


def call(*arguments: str, monkeypatch) -> tuple[int, str, list]:
    printed: list = []

    def keep(folder: Path, target: Path, *, address: str | None) -> None:
        printed.append((folder, target, address))

    monkeypatch.setattr(pdf, "print_report", keep)
    done = CliRunner().invoke(report.report, ["pdf", *arguments], obj=Unit())
    return done.exit_code, done.output, printed


@pytest.mark.parametrize("end", ["", "/", "/index.html"])
def test_an_address_of_the_site_is_a_folder_of_it(end, monkeypatch):
    address = f"{SITE}/reports/data-1/3f9a"
    code, _, printed = call(f"{address}{end}", "--out", "x.pdf", monkeypatch=monkeypatch)
    folder = make_settings().site.folder / "reports/data-1/3f9a"
    assert (code, printed) == (0, [(folder, Path("x.pdf"), f"{address}/")])


def test_a_folder_has_no_address(tmp_path, monkeypatch):
    code, _, printed = call(str(tmp_path), monkeypatch=monkeypatch)
    assert (code, printed) == (0, [(tmp_path, Path("report.pdf"), None)])


@pytest.mark.parametrize(
    "address",
    ["https://other.example/reports/a/b", f"{SITE}/catalogue/", f"{SITE}/reports/../../etc"],
)
def test_another_address_is_refused(address, monkeypatch):
    code, told, printed = call(address, monkeypatch=monkeypatch)
    assert (code, printed) == (2, [])
    assert "is not a report of the site" in told


def test_a_folder_without_a_report_is_refused(tmp_path):
    done = CliRunner().invoke(report.report, ["pdf", str(tmp_path)], obj=Unit())
    assert isinstance(done.exception, ReportProblem)
    assert "no report" in str(done.exception)
