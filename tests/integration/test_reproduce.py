"""`wardbook reproduce`: an edition made again from its receipt, and all that can be amiss."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from gitlab.exceptions import GitlabError

from pipelines.cli.main import main
from pipelines.demo.world import REVIEWER
from pipelines.house import House, read_clock
from pipelines.provenance import Finished, sign_deliverable
from pipelines.purge import find_left, list_purged, purge
from pipelines.reproduction.templates import find_unneeded
from pipelines.steps.run import force_request
from tests.integration.test_story import Scene, open_scene, spf_folder
from tests.receipt_form import assert_documented, assert_no_path
from wardbook.audit.account import os_account
from wardbook.audit.check import find_flaws
from wardbook.domain.output import Channel
from wardbook.domain.states import State
from wardbook.files import hash_file
from wardbook.settings import RetentionSettings

__all__ = ["spf_folder"]
pytestmark = [pytest.mark.xdist_group("reproduce"), pytest.mark.usefixtures("lasting_server")]

DECLARED = """
[outputs.rates]
kind = "table"
title = { fr = "Taux", en = "Rates" }
sensitivity = "public"
channel = "site"
[outputs.rates.columns]
day = { fr = "Jour", en = "Day" }
rate = { fr = "Taux", en = "Rate" }
[outputs.curve]
kind = "figure"
title = { fr = "Courbe", en = "Curve" }
sensitivity = "public"
channel = "site"
[sources.hospital]
kind = "spf-hospital"
sensitivity = "public"
label = { fr = "Hôpital", en = "Hospital" }
"""
CODE = """import pathlib
import pandas as pd
import wardbook as wb
import matplotlib.pyplot as plt
words = [word for word in ("differ", "fail") if pathlib.Path({flag!r} + word).exists()]
word = "".join(words)  # a notebook may not read what stands there, but it sees that it does
if word == "fail":
    raise ValueError("DUPONT")
rows = len(wb.source("hospital").read_bytes().splitlines())
wb.say("answer")
wb.table("counts", pd.DataFrame({{"n": [rows, 4711 if word == "differ" else 12]}}))
step = {{"": 0, "differ": 1e-13}}[word]
wb.table("rates", pd.DataFrame({{"day": ["a", "b"], "rate": [0.25, 1 / 3 + step]}}))
figure, axes = plt.subplots()
axes.plot([0, 1], [0, 2 if word == "differ" else 1])
wb.figure("curve", figure, caption="c", alternative="a")"""


class Unit:
    """A scene whose request was delivered, and whose command line tells what it said."""

    def __init__(self, scene: Scene, flag: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.scene, self.flag, self.capsys = scene, flag, capsys
        self.key = scene.file()
        self.release()

    def release(self) -> None:
        """Run the request and have a reviewer let it out."""
        self.scene.tick()
        held = self.scene.record(self.key)
        assert held.state is State.HELD
        requests = self.scene.gitlab(REVIEWER).mergerequests
        with suppress(GitlabError):  # there is an approval of an earlier run, or none
            requests.get(held.links.merge_request).unapprove()
        request = requests.get(held.links.merge_request)
        request.approve(sha=request.sha)
        self.scene.tick()
        assert self.scene.record(self.key).state is State.ANSWERED

    def reproduce(self, *options: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
        """Run the command in this house; returns its exit code and all that it printed."""
        settings = self.scene.house.settings
        monkeypatch.setattr("pipelines.cli.main.load_settings", lambda *_: settings)
        self.capsys.readouterr()
        code = main(["reproduce", self.key, *options])
        printed = self.capsys.readouterr()
        return code, printed.out + printed.err

    def stand(self) -> object:
        """All that a reproduction must leave as it is."""
        page = f"{self.scene.sandbox.jira_url}/_sandbox/journal?wrote=true"
        site = self.scene.house.settings.site.folder
        files = {str(file): file.read_bytes() for file in site.rglob("*") if file.is_file()}
        journal = requests.get(page, timeout=30).json()
        return journal, files, self.scene.house.ledger.events(self.key), self.folders()

    def folders(self) -> list[str]:
        return sorted(path.name for path in (self.state / "runs").iterdir())

    @property
    def state(self) -> Path:
        return self.scene.house.settings.unit.state

    @property
    def data(self) -> Path:
        return self.scene.house.settings.sources["spf"].path

    def editions(self) -> list[Path]:
        links = self.scene.record(self.key).links
        return [Path(one.folder) for one in links.deliverables]


@pytest.fixture
def unit(tmp_path: Path, spf_folder: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Unit]:
    own = tmp_path / "data"
    shutil.copytree(spf_folder, own)
    flag = tmp_path / "flag"
    code = CODE.format(flag=str(flag))
    ledger = f"sqlite:///{tmp_path / 'ledger.db'}"
    with open_scene(tmp_path, own, ledger, code=code, more=DECLARED) as scene:
        yield Unit(scene, flag, capsys)


def test_an_edition_is_made_again(unit: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    def reproduce(*options: str) -> tuple[int, str]:
        return unit.reproduce(*options, monkeypatch=monkeypatch)

    first = check_chain(unit, monkeypatch)
    before = unit.stand()
    backup = unit.data.with_suffix(".backup")
    shutil.copyfile(unit.data, backup)

    # The data and the template move on: the edition is still made from what it was made from.
    unit.data.write_bytes(unit.data.read_bytes() + b"\n")
    texts = unit.scene.house.templates["tiny"].folder / "texts.toml"
    texts.write_text(texts.read_text().replace("Douze", "Treize"), encoding="utf-8")
    code, told = reproduce("--language", "fr")
    assert (code, "La source hospital a changé" in told) == (1, True), told
    code, told = reproduce("--source", f"hospital={unit.data}", "--language", "en")
    assert (code, "not the version" in told) == (1, True), told
    code, told = reproduce("--source", f"hospital={backup}", "--edition", first[:4], "--json")
    raw, _ = json.JSONDecoder().raw_decode(told)
    assert (code, raw["edition"]) == (0, first), told
    assert {one["output"]: one["likeness"] for one in raw["outputs"]} == dict.fromkeys(
        ("report", "counts", "rates", "curve"), "bytes"
    )
    assert raw["packages"] == []
    assert unit.stand() == before, "nothing is published or told, nothing moves"

    # What comes out differs: where is told, and never what.
    differ, fail = (unit.flag.with_name(f"flag{word}") for word in ("differ", "fail"))
    differ.touch()
    shutil.copyfile(backup, unit.data)
    code, told = reproduce("--language", "en")
    assert code == 4, told
    assert "counts: different" in told
    assert "column 1 (n): 1 cell(s) differ, the first in row 2" in told
    assert "rates: the same table within the tolerance" in told
    assert "curve: different" in told
    assert "pixel(s) differ" in told
    assert "4711" not in told
    run = str(unit.scene.record(unit.key).work.run)
    kept = unit.state / "reproductions" / run / "differences.csv"
    assert "counts,2,1,12,4711" in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0
    assert unit.stand() == before

    # It fails: the place is told, not the message.
    differ.rename(fail)
    code, told = reproduce("--language", "en")
    assert (code, "ValueError" in told, "DUPONT" in told) == (1, True, False), told

    # Every version that a receipt names is kept; where receipts are away, all are.
    versions, settings = unit.state / "templates", unit.scene.house.settings
    (made_with,) = versions.iterdir()
    shutil.copytree(made_with, versions / ("0" * 64))
    much_later = House(settings, now=lambda: read_clock() + timedelta(days=100))
    assert list(find_unneeded(much_later, 101)) == []
    assert list(find_unneeded(much_later, 10)) == ["0" * 64]
    site = settings.site.folder
    site.rename(site.with_name("away"))
    assert list(find_unneeded(much_later, 10)) == []
    site.with_name("away").rename(site)

    # Parts that are gone are named.
    unit.data.rename(unit.data.with_suffix(".away"))
    shutil.rmtree(unit.state / "templates")
    unit.scene.house.__dict__.pop("templates")
    code, told = reproduce("--language", "en")
    assert code == 1
    assert "The source hospital is gone" in told
    assert "The template tiny as it was" in told

    monkeypatch.setattr("pipelines.cli.main.load_settings", lambda *_: settings)
    unit.capsys.readouterr()
    assert main(["audit", "show", unit.key]) == 0
    printed = unit.capsys.readouterr().out
    told = re.findall(rf"{os_account()} .*reproduction\.(\w+) +(.*)", printed)
    runs = [one for one in told if one[0] == "begun"]
    assert len(runs) == 3, "one that lacks a part does not begin"
    ends = [re.search(r"outcome (\w+)", one[1]) for one in told if one[0] == "done"]
    outcomes = [end.group(1) for end in ends if end]
    assert outcomes == ["lost", "lost", "same", "different", "failed", "lost"]
    assert main(["audit", "verify"]) == 0

    assert reproduce("--edition", "zz", "--language", "en")[0] == 1
    assert reproduce("--source", "nothing=/dev/null")[0] == 1
    assert unit.stand() == before
    check_purged(unit)


def check_purged(unit: Unit) -> None:
    """Over time nothing on the secure side is of the request any more, and the log proves it."""
    wanted = RetentionSettings(evidence_days=1, runs_days=1)
    settings = unit.scene.house.settings.model_copy(update={"retention": wanted})
    kept = {path.relative_to(unit.state).parts[0] for path in files_of(unit)}
    assert kept == {"runs", "reproductions"}, "the look would find what is left"
    digests = {hash_file(path) for path in files_of(unit)}
    with House(settings, now=lambda: read_clock() + timedelta(days=2)) as house:
        assert {one.refusal for one in purge(house, "me")} == {""}
        assert files_of(unit) == []
        assert digests <= {digest for one in list_purged(house) for digest in one.digests}
        assert (find_left(house), list(find_flaws(house.ledger.audit_entries()))) == ([], [])


def files_of(unit: Unit) -> list[Path]:
    """What names the request, by its path or in its content.

    The ledger has terms of its own; metrics are delivered, and of the unit itself keys and codes.
    """
    slug = unit.key.lower()
    return [
        path
        for path in sorted(unit.state.rglob("*"))
        if path.is_file()
        and not path.name.startswith(("ledger.db", "metrics.db"))
        and (slug in str(path.relative_to(unit.state)) or unit.key.encode() in path.read_bytes())
    ]


def check_chain(unit: Unit, monkeypatch: pytest.MonkeyPatch) -> str:
    """Two real editions: their receipts hold to the schema and form a chain; returns the first."""
    force_request(unit.scene.house, unit.scene.record(unit.key), "analyst", "once more")
    unit.release()
    first, second = unit.editions()
    receipts: list[Any] = [
        json.loads((one / "receipt.json").read_bytes()) for one in (first, second)
    ]
    for raw, folder in zip(receipts, (first, second), strict=True):
        assert_documented(raw)
        for name in ("receipt.json", "ro-crate-metadata.json"):
            assert_no_path((folder / name).read_text(), unit.state.parent)
    made = unit.scene.record(unit.key).work.made_from
    assert made is not None
    parts = receipts[1]["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert parts[1]["digest"]["sha256"] == made.template_digest
    assert parts[3]["annotations"]["source"] == "spf"
    assert receipts[0]["predicate"]["wardbook_release"]["previous"] is None
    named = receipts[1]["predicate"]["wardbook_release"]["previous"]
    assert named["run"].endswith(first.name)

    settings = unit.scene.house.settings
    monkeypatch.setattr("pipelines.cli.main.load_settings", lambda *_: settings)
    unit.capsys.readouterr()
    file = str(unit.scene.world.settings)
    assert main(["--settings", file, "verify", "--history", str(first), "--language", "en"]) == 0
    told = unit.capsys.readouterr().out
    assert told.rindex(second.name) < told.rindex(first.name)
    assert_signed_alike(unit, second, unit.state.parent / "again")
    return first.name


def assert_signed_alike(unit: Unit, folder: Path, again: Path) -> None:
    """Sign the last edition's files once more: the receipt is the same, byte for byte."""
    house, record = unit.scene.house, unit.scene.record(unit.key)
    assert str(record.work.run).endswith(folder.name)
    shutil.copytree(folder, again)
    kept = (again / "receipt.json").read_bytes()
    for made in ("receipt.json", "receipt.json.asc", "ro-crate-metadata.json"):
        (again / made).unlink()
    files = {
        file.relative_to(again).as_posix(): hash_file(file)
        for file in again.rglob("*")
        if file.is_file()
    }
    done = Finished.of(house, record)
    sign_deliverable(
        house, record, done, files, again, "report", Channel.SITE, editions=folder.parent
    )
    assert (again / "receipt.json").read_bytes() == kept
