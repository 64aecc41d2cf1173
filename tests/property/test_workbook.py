"""Whatever stands in a table, its workbook holds the same cells and nothing that runs."""

import csv
import io
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from wardbook.artefacts.read import read_artefact
from wardbook.report.workbook import write_workbook
from wardbook.template.outputs import OutputSpec

SPEC = OutputSpec.model_validate(
    {
        "kind": "table",
        "title": {"fr": "T", "en": "T"},
        "sensitivity": "public",
        "channel": "site",
        "columns": {name: {"fr": name, "en": name} for name in ("a", "b")},
    }
)
NOT_OF_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    [
        "=1+1",
        "@SUM(A1)",
        "+33",
        "]]>",
        "&amp;",
        "</t>",
        "\r\n",
        " x ",
        "2021-01-08",
        "True",
        "#REF!",
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4))
def test_text_comes_back_as_it_went_in(rows):
    # A text in each column keeps every cell of it text.
    rows = [("text", "text"), *rows]
    table = io.StringIO()
    csv.writer(table, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    made = write_workbook(table.getvalue().encode(), SPEC, name="t", language="fr")
    reading = read_artefact("t.xlsx", made)
    codes = {problem.code for problem in reading.problems}
    assert codes <= {"invisible_text"}
    told = [
        [NOT_OF_XML.sub("\ufffd", cell.replace("\r\n", "\n").replace("\r", "\n")) for cell in row]
        for row in rows
    ]
    found = [list(row) for row in reading.grids[0].rows]
    found += [["", ""]] * (len(told) - len(found))  # rows without a value at the end
    assert found == told
