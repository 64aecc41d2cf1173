"""Reports on their way: a bad one is named, kept back and mended; a good one leaves signed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.demo.world import ANALYST
from pipelines.house import House
from pipelines.story import tick_until_quiet
from tests.browser import CHROMIUM
from tests.integration.test_story import CODE, Scene, open_scene, spf_folder
from tests.page_reading import read_page
from tests.tiny_template import notebook
from wardbook import seal as sealing
from wardbook.domain.output import Verdict
from wardbook.domain.states import State
from wardbook.report.workbook import is_workbook_of

__all__ = ["spf_folder"]

pytestmark = pytest.mark.xdist_group("reports")

FIGURE = """
[outputs.curve]
kind = "figure"
title = { fr = "Courbe", en = "Curve" }
sensitivity = "public"
channel = "site"
required = false
drawn_from = ["counts"]
"""
DRAWN = """
import io
import matplotlib.pyplot as plt
figure, axes = plt.subplots()
axes.plot([1, 2])
"""
# Around wb.figure, which would have refused it.
SILENT = f"""{CODE}
{DRAWN}
from wardbook.domain.output import OutputKind
from wardbook.notebook.display import publish
from wardbook.notebook.index import declare_output
from wardbook.notebook.session import current_session
folder = current_session().outputs
figure.savefig(folder / "curve.png", metadata={{"Software": None}})
declare_output(folder, "curve.png", name="curve", kind=OutputKind.FIGURE, title="Courbe",
               caption="Courbe", alternative=" ")
publish({{"text/plain": ""}}, "figure", output="curve")
"""
LARGE = f"{CODE}\n# {'x' * 160_000}\n"


@pytest.fixture
def scene(tmp_path: Path, spf_folder: Path, story_ledger_url: str) -> Iterator[Scene]:
    with open_scene(tmp_path, spf_folder, story_ledger_url, more=FIGURE, standing=True) as scene:
        yield scene


def change_notebook(scene: Scene, key: str, code: str) -> None:
    change = {
        "action": "update",
        "file_path": f"requests/{key}/notebook.ipynb",
        "content": notebook(code),
    }
    scene.gitlab(ANALYST).commits.create(
        {"branch": f"request/{key}", "commit_message": "Change", "actions": [change]}
    )
    scene.tick()


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (SILENT, "figure 'curve' has no alternative text"),
        (LARGE, r"is the limit. Show fewer rows"),
    ],
    ids=["figure without a text", "page too large"],
)
def test_a_bad_report_is_named_and_held_and_nothing_of_it_is_published(
    scene: Scene, tmp_path: Path, code: str, told: str
) -> None:
    (tmp_path / "templates/tiny/notebook.ipynb").write_text(notebook(code), encoding="utf-8")
    key = scene.file()
    scene.tick()
    record = scene.record(key)
    assert record.state is State.REJECTED, "nobody could approve a report that is not there"
    problems = [
        dict(check.details)["problem"]
        for check in record.work.checks
        if check.reason == "artefact.not_rendered" and check.verdict is Verdict.REFUSE
    ]
    assert len(problems) == 1
    assert told in problems[0]
    assert list((scene.house.settings.site.folder / "reports").glob("*/*")) == []
    assert "Rien n’a été publié" in scene.comments(key)[0]

    change_notebook(scene, key, CODE)
    mended = scene.record(key)
    assert mended.state is State.HELD, "the code is not the approved one: a reviewer looks"
    assert "artefact.not_rendered" not in {check.reason for check in mended.work.checks}


@pytest.mark.chromium
@pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is missing")
def test_what_is_made_of_a_checked_report_is_signed_with_it(scene: Scene) -> None:
    key = scene.file()
    site = scene.house.settings.site.model_copy(update={"pdf": True})
    with House(scene.house.settings.model_copy(update={"site": site})) as house:
        assert tick_until_quiet(house).faults == {}
        record = scene.record(key)
        assert record.state is State.ANSWERED
        folder = Path(record.links.deliverables[0].folder)
        signer = sealing.Fingerprint(house.settings.seal.signer)
        verified = sealing.verify(
            folder,
            public_key=house.keyring.export_public(signer),
            fingerprint=signer,
            now=house.now(),
        )
    signed = {subject.name for subject in verified.receipt.subjects}
    assert {"index.html", "report.pdf", "tables/counts.csv", "tables/counts.xlsx"} <= signed
    assert is_workbook_of(folder / "tables/counts.xlsx", scene.house.templates["tiny"].spec, "fr")
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF-")
    links = {a.get("href") for a in read_page(folder / "index.html").all("a")}
    assert {"report.pdf", "tables/counts.xlsx", "../index.html"} <= links
    assert (folder.parent / "index.html").is_file()
