"""Broken links are found, by page and target."""

import pytest

from tests.page_reading import find_broken_links
from tests.sample_report import make_run
from wardbook.pages.build import build_site
from wardbook.pages.links import BrokenLinks, check_links, find_broken
from wardbook.pages.publish import publish_report


@pytest.fixture
def public(tmp_path):
    run, public = make_run(tmp_path), tmp_path / "public"
    publish_report(public, run.stage(), "data-7", "2021-01")
    templates = {run.template.spec.name: run.template}
    about = {"templates": templates, "language": "fr", "unit": "Unité"}
    build_site(public, url="https://example.org/unit/", **about)
    return public


def test_a_whole_site_has_no_broken_link(public):
    check_links(public, "/unit/")
    assert find_broken_links(public, "/unit/") == []


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ('<a href="nowhere.html">x</a>', "nowhere.html"),
        ('<a class="y" href="../results/index.html#no">x</a>', "../results/index.html#no"),
        ('<a href="#no">x</a>', "#no"),
        ("<a href='../../outside.html'>x</a>", "../../outside.html"),
        ('<img alt="" src="a&amp;b.png">', "a&b.png"),
        ('<script defer src="../assets/gone.js"></script>', "../assets/gone.js"),
        ('<a href="/results/index.html">x</a>', "/results/index.html"),
        ('<a href="../results/">x</a>', "../results/"),
    ],
)
def test_a_broken_one_is_named(public, link, told):
    page = public / "catalogue" / "index.html"
    page.write_text(page.read_text().replace("</main>", f"{link}</main>"))
    assert [(one.page, one.target) for one in find_broken(public, "/unit/")] == [
        ("catalogue/index.html", told)
    ]
    with pytest.raises(BrokenLinks, match=r"catalogue/index\.html: "):
        check_links(public, "/unit/")


@pytest.mark.parametrize(
    "link",
    [
        '<a href="https://example.org/x">x</a>',
        '<a href="mailto:unit@hospital.example">x</a>',
        '<a href="#content">x</a>',
        '<a href="../results/index.html?q=1#content">x</a>',
        '<a href="/unit/results/index.html">x</a>',
        "<p>href=&#34;nowhere.html&#34;</p>",
        '<p>href="nowhere.html"</p>',
    ],
)
def test_a_good_one_is_not(public, link):
    page = public / "catalogue" / "index.html"
    page.write_text(page.read_text().replace("</main>", f"{link}</main>"))
    check_links(public, "/unit/")
