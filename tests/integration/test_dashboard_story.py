"""From the ticket to the preview on the site: what was released is shown, what was cut is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.beds import DECLARED, write_code
from tests.integration.test_cutting import approve
from tests.integration.test_story import open_scene, spf_folder
from wardbook.domain.states import State

__all__ = ["spf_folder"]

pytestmark = [pytest.mark.xdist_group("metrics"), pytest.mark.secure("stays*.csv")]
DASHBOARD = """
[dashboard]
title = { fr = "Lits", en = "Beds" }
[dashboard.words.ward]
A = { fr = "Service A", en = "Ward A" }
[dashboard.panels.taken]
title = { fr = "Lits occupés", en = "Beds taken" }
output = "beds"
kind = "timeseries"
measures = ["n"]
by = "ward"
[[dashboard.panels.taken.thresholds]]
above = 53
alert = { message = { fr = "Beaucoup de lits.", en = "Many beds." } }
"""


def test_a_released_metric_is_drawn_without_its_small_cell(
    tmp_path: Path, spf_folder: Path, story_ledger_url: str
) -> None:
    declared = DECLARED + DASHBOARD
    with open_scene(
        tmp_path, spf_folder, story_ledger_url, code=write_code(), declared=declared
    ) as scene:
        key = scene.file()
        scene.tick()
        page = scene.house.settings.site.folder / "dashboards" / "tiny" / "index.html"
        assert not page.exists(), "nothing is shown before the release"
        assert approve(scene, key).state is State.ANSWERED
        from pipelines.site import rebuild_site

        rebuild_site(scene.house)
        text = page.read_text(encoding="utf-8")
        rows = {
            name: re.findall(r'<td class="number">([^<]*)</td>', cells)
            for name, cells in re.findall(r'<tr><th scope="row">([^<]*)</th>(.*?)</tr>', text)
        }
        assert rows["B"] == ["34", "33", "non montré", "30"]
        others = [rows["Service A"], rows["C"]]
        assert "non montré" in (others[0][2], others[1][2]), "or the total would give B away"
        assert [one[:2] + one[3:] for one in others] == [["44", "43", "40"], ["54", "53", "50"]]
        assert "Beaucoup de lits." in text and "C (54)" in text.replace("Service ", "")
        assert (page.parent.parent / "index.html").is_file()
