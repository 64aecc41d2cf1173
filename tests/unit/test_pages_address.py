"""Slugs and editions: whatever a ticket says, the folder stays inside the site."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.page_reading import HOSTILE
from wardbook.pages.address import LONGEST, edition_folder, slug_of
from wardbook.report.problem import ReportProblem


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("DATA-7 Épidémie à l’hôpital", "data-7-epidemie-a-l-hopital"),
        ("Cœur & poumon", "coeur-poumon"),
        ("../../etc/passwd", "etc-passwd"),
        ("a\r\nb\0c", "a-b-c"),
        ("  --x--  ", "x"),
    ],
)
def test_a_slug_says_what_the_text_says(text, slug):
    assert slug_of(text) == slug


@given(st.text() | st.just(HOSTILE))
def test_any_text_gives_a_folder_two_levels_inside(tmp_path_factory, text):
    public = tmp_path_factory.getbasetemp() / "public"
    slug = slug_of(text)
    folder = edition_folder(public, slug, slug)
    assert folder.resolve().relative_to(public / "reports").parts == (slug, slug)
    assert 0 < len(slug) <= LONGEST
    assert slug_of(slug) == slug


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "A", "é", ".part", "a..b", "a\n", "x" * (LONGEST + 1)]
)
def test_what_is_no_slug_is_refused(tmp_path, name):
    for slug, edition in ((name, "ok"), ("ok", name)):
        with pytest.raises(ReportProblem, match="slug_of"):
            edition_folder(tmp_path, slug, edition)


def test_texts_without_latin_letters_keep_apart():
    assert slug_of("日本") != slug_of("中国")
