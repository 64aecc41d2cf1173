"""Texts of a report: Markdown by a safe path."""

import pytest

from wardbook.report.prose import render_prose


def test_markdown_becomes_html():
    html = render_prose(
        "Le *taux* est **haut** :\n\n- un\n- deux\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    )
    for piece in ("<em>taux</em>", "<strong>haut</strong>", "<li>un</li>", "<td>1</td>"):
        assert piece in html


@pytest.mark.parametrize("level", range(1, 7))
def test_the_title_of_the_page_stays_its_only_first_heading(level):
    assert f"<h{max(level, 2)}>Titre</h" in render_prose("#" * level + " Titre")


def test_links_to_the_web_and_to_mail_are_kept():
    html = render_prose("[site](https://example.org/a?b=1) [mail](mailto:a@example.org)")
    assert 'href="https://example.org/a?b=1"' in html
    assert 'href="mailto:a@example.org"' in html
    assert "noopener" in html


@pytest.mark.parametrize(
    "markdown",
    [
        "<script>window.fired=1</script>",
        "<img src=x onerror=window.fired=1>",
        "[x](javascript:window.fired=1)",
        "[x](JaVaScRiPt:window.fired=1)",
        "[x](java\tscript:window.fired=1)",
        "[x](&#106;avascript:window.fired=1)",
        "[x](data:text/html,<script>window.fired=1</script>)",
        "[x](//evil.example/)",
        "[x](../../receipt.json)",
        "![x](https://evil.example/pixel.png)",
        "<p style='position:fixed'>x</p>",
        "<details open ontoggle=window.fired=1>x</details>",
        "<svg><a xlink:href='javascript:window.fired=1'>x</a></svg>",
    ],
)
def test_nothing_active_or_foreign_gets_through(markdown):
    html = render_prose(markdown)
    for forbidden in ("<script", "<img", "<svg", "<details", "<p style", 'href="'):
        assert forbidden not in html
