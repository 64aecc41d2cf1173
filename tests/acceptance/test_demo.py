"""The main job, as a person sees it: `wardbook demo`, then what it left behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from pipelines.demo.world import find_real_data
from tests.browser import CHROMIUM, SWITCHES
from tests.receipt_form import assert_documented, assert_no_path
from wardbook.epidemic.generate import generate_files
from wardbook.hospital.stays import CANARIES
from wardbook.report.figures import read_png_size
from wardbook.sandbox import Sandbox
from wardbook.seal import CRATE, Fingerprint, Keyring, Receipt, open_sealed, write_crate

pytestmark = pytest.mark.xdist_group("demo")

KEPT = os.environ.get("WARDBOOK_PICTURES", "")
"""A folder for the pictures that are taken here; `make pictures` names that of the docs."""
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"


def wardbook(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would, and return what it said."""
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environ,
        timeout=280,
    )


@dataclass(frozen=True)
class Played:
    """A finished demonstration."""

    folder: Path
    shown: dict[str, Any]

    @property
    def states(self) -> list[str]:
        return [journey["state"] for journey in self.shown["journeys"]]

    def address(self, number: int) -> str:
        return str(self.shown["journeys"][number]["addresses"][0])

    def report(self, number: int) -> Path:
        return self.folder / "public" / self.address(number).split("/", 3)[3]

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        settings = self.folder / "wardbook.toml"
        return wardbook("--settings", settings, *arguments, cwd=self.folder)

    @contextmanager
    def sandbox(self) -> Iterator[Sandbox]:
        with Sandbox(self.folder / "sandbox") as sandbox:
            yield sandbox


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("demo")
    data = find_real_data() if KEPT else None  # in the documentation stand real figures
    if data is None:
        data = folder / "spf"
        data.mkdir()
        stock, flow = generate_files(data, seed=11, days=40)
        stock.rename(data / "hosp_donnees-hospitalieres-covid19.csv")
        flow.rename(data / "hosp_nouveaux.csv")
    done = wardbook("demo", "--dir", folder / "demo", "--data", data, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return Played(folder / "demo", json.loads(done.stdout))


def test_every_ticket_is_settled_as_it_should_be(played: Played) -> None:
    rest = ["refused", "failed", "answered", "answered", "answered"]
    assert played.states == ["answered", "answered", *rest]


def test_every_step_is_timed(played: Played) -> None:
    steps = {"gate", "prepare", "run", "check", "release", "deliver", "answer"}
    assert set(played.shown["journeys"][0]["seconds"]) == steps


def test_the_refusal_names_each_field_and_nothing_else_happened(played: Played) -> None:
    with played.sandbox() as sandbox:
        comments = ticket_comments(played, sandbox, "DATA-3")
        assert len(comments) == 1
        for field in ("Base légale", "Référence"):
            assert field in comments[0]
        titles = [issue["title"] for issue in gitlab_issues(played, sandbox)]
    assert not any("DATA-3" in title for title in titles)
    assert len(titles) == 6


def test_the_failure_gives_cause_cell_and_next_step_and_no_value(played: Played) -> None:
    with played.sandbox() as sandbox:
        comments = ticket_comments(played, sandbox, "DATA-4")
    (comment,) = comments
    row = re.search(r"spf_coupe\.csv, ligne (\d+)", comment)
    assert row is not None
    lines = (played.folder / "data" / "spf_coupe.csv").read_bytes().splitlines()
    assert int(row[1]) == len(lines)
    assert "cellule" in comment
    assert not (played.folder / "public" / "reports" / "data-4").exists()


def test_the_tubes_were_asked_of_the_database(played: Played) -> None:
    runs = list((played.folder / "state" / "runs").glob("data-7-*/spec.json"))
    (spec,) = (json.loads(file.read_text(encoding="utf-8")) for file in runs)
    extract = Path(spec["sources"]["tubes"]["path"])
    assert extract.suffix == ".parquet"
    assert extract.parent == played.folder / "state" / "extracts"
    report = played.report(6) / "index.html"
    assert "Maladies infectieuses" in report.read_text(encoding="utf-8"), "it is planted there"


def test_hostile_text_stays_text_on_both_trackers(played: Played) -> None:
    with played.sandbox() as sandbox:
        issues = {issue["title"][:6]: issue for issue in gitlab_issues(played, sandbox)}
    hostile = issues["DATA-5"]
    assert hostile["confidential"]
    assert "evil" not in json.dumps(hostile["labels"])
    for line in ("/close", "/label ~evil", "/confidential"):
        assert line in hostile["description"], "a quick action ran: GitLab took its line out"
    assert not Path("/tmp/owned").exists()


def test_the_report_on_the_site_holds_hostile_text_as_text(played: Played) -> None:
    class Scripts(HTMLParser):
        found = 0

        def handle_starttag(self, tag: str, attrs: Any) -> None:
            ours = dict(attrs).get("src", "").startswith("../../../assets/")
            self.found += tag == "script" and not ours

    page = (played.report(4) / "index.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;" in page
    parser = Scripts()
    parser.feed(page)
    assert parser.found == 0


@pytest.mark.secure("stays.csv")  # what the requester opened
def test_the_sealed_list_opens_for_its_requester_alone(played: Played, tmp_path: Path) -> None:
    sealed = Path(played.address(1).removeprefix("file://"))
    signer = Fingerprint((played.folder / "state-gnupg").read_text())
    with (
        Keyring(played.folder / "state" / "gnupg") as unit,
        Keyring(played.folder / "people" / "yhaddad") as requester,
    ):
        requester.import_key(unit.export_public(signer))
        open_sealed(sealed, tmp_path / "stays.csv", requester, signer)
        opened = (tmp_path / "stays.csv").read_text(encoding="utf-8")
        assert "Maladies infectieuses" in opened
        assert any(canary in opened for canary in CANARIES), "the search below would prove nothing"
        with pytest.raises(Exception, match=r"(?i)open|decrypt"):
            open_sealed(sealed, tmp_path / "unit.csv", unit, signer)


def test_no_patient_left_the_secure_side(played: Played) -> None:
    """Canary patients stand in the source and in the run; nowhere else, byte for byte."""
    outside = [
        file
        for file in played.folder.rglob("*")
        if file.is_file() and not {"state", "data"} & set(file.relative_to(played.folder).parts)
    ]
    assert len(outside) > 50
    for file in outside:
        content = file.read_bytes()
        for canary in CANARIES:
            assert canary.encode() not in content, file
    inside = (played.folder / "state" / "runs").glob("data-2-*/outputs/stays.csv")
    assert any(canary in next(inside).read_text(encoding="utf-8") for canary in CANARIES)


def test_the_secure_side_is_closed_to_others(played: Played) -> None:
    assert (played.folder / "state").stat().st_mode & 0o077 == 0


def test_every_receipt_holds_to_its_schema_and_tells_nothing_of_the_machine(
    played: Played,
) -> None:
    receipts = [*played.folder.rglob("receipt.json"), *played.folder.rglob("*.receipt.json")]
    kinds = set()
    for file in receipts:
        text = file.read_text(encoding="utf-8")
        assert_documented(json.loads(text))
        crate = write_crate(Receipt.from_json(text.encode())).decode()
        for told in (text, crate):
            assert_no_path(told, played.folder)
            assert not [canary for canary in CANARIES if canary in told]
        beside = file.parent / CRATE
        assert not beside.exists() or beside.read_text(encoding="utf-8") == crate
        kinds.add(json.loads(text)["predicate"]["wardbook_release"]["channel"])
    assert kinds == {"site", "share", "grafana"}


def test_both_deliverables_verify_and_a_changed_byte_is_refused(
    played: Played, tmp_path: Path
) -> None:
    sealed = Path(played.address(1).removeprefix("file://"))
    for target in (played.report(0), sealed):
        good = played.run("verify", target)
        assert good.returncode == 0, good.stderr
    copy = tmp_path / "report"
    shutil.copytree(played.report(0), copy)
    page = copy / "index.html"
    page.write_bytes(page.read_bytes().replace(b"</html>", b"</html> "))
    bad = played.run("verify", copy)
    assert bad.returncode == 1
    assert "index.html" in bad.stderr
    broken = tmp_path / sealed.parent.name
    shutil.copytree(sealed.parent, broken)
    content = bytearray((broken / sealed.name).read_bytes())
    content[-1] ^= 1
    (broken / sealed.name).write_bytes(content)
    assert played.run("verify", broken / sealed.name).returncode == 1


def test_a_tick_with_nothing_to_do_writes_nothing(played: Played) -> None:
    with played.sandbox() as sandbox:
        before = len(sandbox.journal)
        done = played.run("tick", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {"moved": [], "faults": {}}
        calls = list(sandbox.journal)[before:]
    assert calls, "the tick did not even look"
    assert [call for call in calls if call.wrote or call.method != "GET"] == []


def test_the_doctor_finds_the_demonstration_well_and_a_missing_source_ill(played: Played) -> None:
    with played.sandbox():
        well = played.run("doctor")
        assert well.returncode == 0, well.stdout
        assert "WARN  signed heads of the audit log" in well.stdout, "and stops nothing"
        source = played.folder / "data" / "stays.csv"
        source.rename(source.with_suffix(".away"))
        try:
            ill = played.run("doctor")
        finally:
            source.with_suffix(".away").rename(source)
    assert ill.returncode == 3
    assert "ILL   source stays" in ill.stdout


def test_status_and_show_tell_each_request(played: Played) -> None:
    told = json.loads(played.run("status", "--json").stdout)
    assert [one["key"] for one in told["requests"]] == [f"DATA-{n}" for n in range(1, 8)]
    assert told["stuck"] == told["unreadable"] == []
    shown = json.loads(played.run("show", "DATA-4", "--json").stdout)
    assert shown["work"]["failure"]["kind"] == "data_problem"
    assert played.run("show", "DATA-99").returncode == 1


def test_a_lost_ledger_is_rebuilt_without_a_duplicate(played: Played, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(played.folder, again, ignore=shutil.ignore_patterns("*.sock", "S.*"))
    with sqlite3.connect(again / "state" / "ledger.db") as connection:
        tables = ("effects", "events", "requests", "marks")
        for table in tables:
            connection.execute(f"delete from {table}")
        # As if the ledger had been made today: the tickets are older than it is.
        born = ("ledger.born_at", "2099-01-01T00:00:00+00:00")
        connection.execute("insert into marks values (?, ?)", born)
    copy = Played(again, played.shown)
    with copy.sandbox() as sandbox:
        before = count_world(copy, sandbox)
        done = copy.run("tick")
        assert done.returncode == 0, done.stderr
        assert count_world(copy, sandbox) == before


def ticket_comments(played: Played, sandbox: Sandbox, key: str) -> list[str]:
    from jira import JIRA

    token = (played.folder / "tokens" / "wardbook").read_text()
    client = JIRA(server=sandbox.jira_url, token_auth=token, max_retries=0, timeout=(5, 30))
    return [comment.body for comment in client.comments(key)]


def gitlab_issues(played: Played, sandbox: Sandbox) -> list[dict[str, Any]]:
    client = gitlab_client(played, sandbox)
    return [
        issue.attributes
        for project in client.projects.list(iterator=True)
        for issue in project.issues.list(iterator=True, state="all")
    ]


def gitlab_client(played: Played, sandbox: Sandbox) -> Any:
    import gitlab

    token = (played.folder / "tokens" / "wardbook").read_text()
    return gitlab.Gitlab(sandbox.gitlab_url, private_token=token, timeout=30)


def count_world(played: Played, sandbox: Sandbox) -> dict[str, Any]:
    """Count everything that a repeated effect would make twice."""
    client = gitlab_client(played, sandbox)
    counted: dict[str, Any] = {}
    for project in client.projects.list(iterator=True):
        issues = project.issues.list(iterator=True, state="all")
        requests = project.mergerequests.list(iterator=True, state="all")
        counted[project.path_with_namespace] = {
            "issues": sorted(issue.title for issue in issues),
            "merge requests": {
                one.title: sum(1 for note in one.notes.list(iterator=True) if not note.system)
                for one in requests
            },
            "branches": {
                branch.name: branch.commit["id"] for branch in project.branches.list(iterator=True)
            },
        }
    for number in range(1, 7):
        counted[f"DATA-{number}"] = len(ticket_comments(played, sandbox, f"DATA-{number}"))
    public = played.folder / "public" / "reports"
    counted["reports"] = sorted(path.relative_to(public).as_posix() for path in public.glob("*/*"))
    counted["sealed"] = sorted(path.name for path in (played.folder / "share").rglob("*.gpg"))
    return counted


@pytest.mark.chromium
def test_a_person_finds_the_report_and_reads_it_on_a_phone(played: Played) -> None:
    from playwright.sync_api import sync_playwright

    from wardbook.pages.serve import serve_site

    if not CHROMIUM.exists():
        pytest.skip("no browser (Debian package chromium)")
    with serve_site(played.folder / "public", 0) as site, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.goto(site.url)
        page.get_by_role("navigation").get_by_text("Résultats").click()
        page.get_by_role("link", name="Situation hospitalière COVID-19").first.click()
        page.wait_for_load_state("load")  # a click returns before the style is there
        address = played.address(0).split("/", 3)[3]
        assert page.url == f"{site.url}{address}index.html" or page.url == f"{site.url}{address}"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.locator("details").first.get_attribute("open") is None
        assert not page.locator("pre").first.is_visible(), "code is hidden by default"
        provenance = page.get_by_role("heading", name="Provenance")
        assert provenance.is_visible()
        below = "n => n.getBoundingClientRect().top > document.body.scrollHeight / 2 - scrollY"
        assert provenance.evaluate(below)
        assert "DATA-1" in page.locator("main").inner_text()
        page.goto(f"{site.url}{played.address(4).split('/', 3)[3]}")
        assert page.title() != "fired", "the hostile ticket's script ran"
        browser.close()


@pytest.mark.chromium
def test_pictures_for_the_docs_are_taken_of_what_people_see(played: Played, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    from wardbook.pages.serve import serve_site

    if not CHROMIUM.exists():
        pytest.skip("no browser (Debian package chromium)")
    kept = Path(KEPT) if KEPT else tmp_path
    port = int((played.folder / "site-port").read_text())
    with (
        played.sandbox() as sandbox,
        serve_site(played.folder / "public", port) as site,
        sync_playwright() as play,
    ):
        taken = {  # its name: address, what stands there, width, height
            "report": (played.address(0), "24\u202f377" if KEPT else "hospitalisées", 1100, 1150),
            "report-phone": (played.address(0), "Situation hospitalière COVID-19", 390, 844),
            "site": (site.url, "Derniers résultats", 1100, 900),
            "catalogue": (f"{site.url}catalogue/index.html", "Activité des services", 1100, 1150),
            "form": (f"{site.url}catalogue/line_list/request/index.html", "Résumé", 1100, 1400),
            "dashboard": (played.address(5), "Occupation des lits", 1100, 1400),
            "dashboard-phone": (played.address(5), "Occupation des lits", 390, 844),
            "ticket": (f"{sandbox.jira_url}/browse/DATA-1", "est prête", 1100, 1000),
        }
        browser = play.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        for name, (address, words, width, height) in taken.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(address, wait_until="load")
            assert words in page.locator("body").inner_text(), address
            page.screenshot(path=kept / f"{name}.png")
            page.close()
        browser.close()
    for name, (_, _, width, height) in taken.items():
        shown = (PICTURES / f"{name}.png").read_bytes()
        assert read_png_size(shown, name="") == (width, height), name
