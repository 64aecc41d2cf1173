"""A page may load a script of ours, told by its hash; any other script refuses the page."""

import pytest

from tests.sample_report import make_run
from wardbook.artefacts import Ground
from wardbook.artefacts.deliverable import check_report_folder
from wardbook.artefacts.read import read_artefact
from wardbook.domain.output import Verdict
from wardbook.report.layout import script_element, site_scripts

OURS = str(script_element("sort.js", "../../../assets"))
HASH = site_scripts()["sort.js"].integrity


def codes(element: str) -> set[str]:
    page = f"<!doctype html><html><head>{element}</head><body><p>x</p></body></html>"
    return {problem.code for problem in read_artefact("index.html", page.encode()).problems}


@pytest.mark.parametrize("assets", ["../../../assets", "assets", "../assets"])
def test_our_own_script_is_no_script_of_the_page(assets):
    assert codes(str(script_element("sort.js", assets))) == set()


@pytest.mark.parametrize(
    "element",
    [
        OURS.replace(HASH, "sha256-" + "A" * 43 + "="),
        OURS.replace(f' integrity="{HASH}"', ""),
        OURS.replace("../../../assets/", "https://example.org/assets/"),
        OURS.replace("../../../assets/", "//example.org/assets/"),
        OURS.replace("../../../assets/sort-", "figures/sort-"),
        OURS.replace("></script>", ">window.fired=1</script>"),
        OURS.replace("<script defer", "<script onload=window.fired=1 defer"),
        OURS.replace("<script defer", "<script type=module"),
        OURS.replace("></script>", "><script>"),
        f"{OURS}<script>window.fired=1</script>",
        "<script>window.fired=1</script>",
    ],
)
def test_every_other_script_is_told(element):
    assert "script" in codes(element)


def test_a_report_with_the_script_is_clean_and_refused_with_another(tmp_path):
    run = make_run(tmp_path)
    folder, spec = run.render(), run.template.spec
    page = folder / "index.html"
    assert OURS in page.read_text()
    clean = check_report_folder("page", folder, spec, "fr", Ground(public=False))
    assert [check.verdict for check in clean] == [Verdict.PASS]
    page.write_text(page.read_text().replace("sort-", "cart-"))
    other = check_report_folder("page", folder, spec, "fr", Ground(public=False))
    assert ("artefact.script", Verdict.REFUSE) in {(one.reason, one.verdict) for one in other}
