"""Foreign values come through whole: parameters as data, values in Markdown as plain text."""

import html
import re
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import mistune
from hypothesis import example, given, settings
from hypothesis import strategies as st
from trial_runs import make_run

from wardbook.notebook.markdown import escape_markdown
from wardbook.notebook.session import open_run

HOSTILE = "'''\"\"\"\n${HOME} $(id) {who} \\ %s \x00 </script> é \N{GRINNING FACE} \u2028"
scalars = st.one_of(
    st.text(),
    st.integers(),
    st.floats(allow_nan=False),
    st.booleans(),
    st.dates(),
    st.none(),
)


@given(value=scalars | st.lists(scalars))
@example(value=HOSTILE)
@example(value=[date(2021, 1, 8), HOSTILE])
@settings(deadline=None)  # each example writes files
def test_parameters_come_back_equal_and_of_their_type(value: Any) -> None:
    with tempfile.TemporaryDirectory() as parent:
        run = make_run(Path(parent), "run", parameters={"who": value})
        found = open_run(run).parameters.who
    assert found == value
    assert type(found) is type(value)
    if isinstance(value, list):
        assert [type(item) for item in found] == [type(item) for item in value]


@given(value=st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])))
@example(value="# [a](javascript:x) <b>*_`$x$` 1. - + | ~~ 1\u202f234 &amp; http://a.b \\[x\\]")
def test_a_value_in_markdown_shows_its_characters_and_nothing_else(value: str) -> None:
    page = mistune.html("Pour " + escape_markdown(value))
    (shown,) = re.findall(r"\A<p>(.*)</p>\n\Z", str(page), re.DOTALL)
    assert "<" not in shown
    as_shown = [re.sub(" +", " ", text).strip() for text in (html.unescape(shown), f"Pour {value}")]
    assert as_shown[0] == as_shown[1]
