"""The method sheets: every template that comes with Wardbook has them, and a wrong one is told."""

import pytest

from tests.sample_report import make_template
from wardbook.pages.docs_sources import describe_methods
from wardbook.report.voice import Voice
from wardbook.shipped import shipped_folder
from wardbook.template.methods import METHODS, load_methods
from wardbook.template.spec import TemplateProblem, load_catalogue

SHEET = """
[duration]
columns = ["duration"]
formula = "somme des durées / séjours"
name = { fr = "Durée moyenne", en = "Mean duration" }
definition = { fr = "Durée d’un séjour.", en = "Length of a stay." }
source = { fr = "Extrait.", en = "Extract." }
limits = [{ fr = "Séjours clos.", en = "Closed stays." }]
"""


def test_every_template_has_its_sheets() -> None:
    for template in load_catalogue(shipped_folder("templates")).values():
        assert load_methods(template), template.spec.name


def test_a_sheet_becomes_a_page(tmp_path) -> None:
    template = make_template(tmp_path)
    assert load_methods(template) == {}
    assert "pas encore de fiche" in describe_methods(template, Voice("fr"))
    (template.folder / METHODS).write_text(SHEET, encoding="utf-8")
    page = describe_methods(template, Voice("en"))
    for piece in (
        "# Stays by ward",
        "## Mean duration",
        "somme des durées",
        "- Closed",
        "`duration`",
    ):
        assert piece in page


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('["duration"]', '["durations"]', "no table of the template has 'durations'"),
        ("formula = ", "formule = ", "duration.formula: Field required"),
        ("[duration]", "[duration", "not readable as TOML"),
        ("limits = [{", "limits = [] # [{", "duration.limits"),
    ],
)
def test_a_wrong_sheet_is_told_by_file_and_key(tmp_path, old: str, new: str, told: str) -> None:
    template = make_template(tmp_path)
    (template.folder / METHODS).write_text(SHEET.replace(old, new), encoding="utf-8")
    with pytest.raises(TemplateProblem) as caught:
        load_methods(template)
    assert str(template.folder / METHODS) in str(caught.value) and told in str(caught.value)
