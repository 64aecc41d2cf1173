"""A dashboard is declared strictly: what it names is there, and what it adds up adds up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.metric_template import DECLARED, write_metric_template
from wardbook.template.spec import TemplateProblem, load_template


def test_a_whole_declaration_is_read(tmp_path: Path) -> None:
    spec = load_template(write_metric_template(tmp_path)).spec
    assert spec.dashboard is not None
    panels = spec.dashboard.panels
    assert list(panels) == ["now", "occupancy", "stays", "flow", "admission", "each_day"]
    alert = panels["occupancy"].thresholds[0].alert
    assert alert is not None and alert.periods == 2
    assert panels["admission"].drawn_columns == ("admitted", "arrivals")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            'output = "daily"\nkind = "stat"',
            'output = "dally"\nkind = "stat"',
            "dashboard.panels.now.output: 'dally' is no output with channel = \"grafana\"; "
            "there are 'daily', 'arrivals'",
        ),
        (
            'measures = ["stays", "length"]',
            'measures = ["stays", "lenght"]',
            "dashboard.panels.stays.measures: 'lenght' neither counts nor measures in "
            "outputs.daily; there are 'stays', 'occupancy', 'length'",
        ),
        ('numerator = "admitted"', 'numerator = "hour"', "'hour' neither counts nor measures"),
        ('by = "triage"', 'by = "day"', "panels.admission.by: 'day' is no dimension"),
        ('by = "hour"\n', "", "needs `by`: its rows"),
        (
            'total = { ward = "ALL" }\n',
            "",
            "panels.now.measures: which 'ward'? Show the panel `by` it, fix a code in `where`, "
            "name it in `sum_over`, or declare outputs.daily.total",
        ),
        (
            'measures = ["stays", "length"]\nby = "ward"',
            'measures = ["stays", "length"]\nsum_over = ["ward"]',
            "panels.stays.sum_over: 'length' is neither a count nor a sum",
        ),
        ('sum_over = ["triage"]', 'sum_over = ["hour"]', "in one of `by`, `where` and `sum_over`"),
        ('sum_over = ["triage"]', 'sum_over = ["trial"]', "sum_over: 'trial' is no dimension"),
        ("above = 98", "above = 90", "two `thresholds` have the same value"),
        ("above = 98", "below = 95", "a threshold `below` lies over one `above`"),
        ("above = 98", "above = 98\nbelow = 2", "one of both"),
        ('kind = "heatmap"', 'kind = "gauge"', "dashboard.panels.flow.kind"),
        ('denominator = "arrivals"\nper', "per", "go together"),
        ("span_days = 60", "span = 60", "dashboard.span: Extra inputs"),
        ("[dashboard.words.ward]", "[dashboard.words.wards]", "words.wards: no metric has"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    assert DECLARED.count(old) == 1
    folder = write_metric_template(tmp_path, DECLARED.replace(old, new))
    with pytest.raises(TemplateProblem) as problem:
        load_template(folder)
    assert told in str(problem.value)
    assert "template.toml" in str(problem.value)


def test_the_total_of_a_mean_may_be_fixed_instead(tmp_path: Path) -> None:
    declared = DECLARED.replace('total = { ward = "ALL" }\n', "").replace(
        'kind = "stat"\n', 'kind = "stat"\nwhere = { ward = "CARD" }\n'
    )
    assert load_template(write_metric_template(tmp_path, declared)).spec.dashboard
