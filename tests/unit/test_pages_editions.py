"""The page of a report's editions: it leads to the newest, whichever that is."""

from dataclasses import replace

import pytest

from tests.page_reading import find_broken_links, photograph, read_page
from tests.sample_report import make_run
from wardbook.pages.build import build_site
from wardbook.pages.publish import publish_report
from wardbook.pages.results import read_editions
from wardbook.report.editions import PastEdition


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path)


@pytest.fixture
def public(tmp_path):
    return tmp_path / "public"


def publish(run, public, day: int, slug="data-7") -> None:
    run.provenance = replace(run.provenance, started=f"2021-01-{day:02d}T08:00:00+01:00")
    run.title = f"Séjours au {day} janvier"
    earlier = [
        PastEdition(one.address.rpartition("/")[2], one.card.started)
        for one in read_editions(public, slug)
    ]
    publish_report(public, run.stage(f"staged-{slug}-{day}", editions=earlier), slug, f"e{day}")
    build_site(public, templates={}, language="fr", unit="U")


def links(public, page: str) -> list[str]:
    return [a["href"] for a in read_page(public / page).all("a")]


def test_the_newest_edition_comes_first_and_the_others_stay_as_they_are(run, public):
    publish(run, public, 3)
    first = photograph(public / "reports/data-7/e3")
    assert "../../reports/data-7/e3/index.html" in links(public, "reports/data-7/index.html")
    publish(run, public, 10)
    publish(run, public, 5)
    page = read_page(public / "reports/data-7/index.html")
    listed = [a["href"].split("/")[-2] for a in page.all("a") if "/e" in a["href"]]
    assert listed == ["e10", "e10", "e5", "e3"]
    assert "Lire la plus récente\u00a0: 10 janvier 2021" in page.text
    assert page.text.count("la plus récente") == 2
    assert photograph(public / "reports/data-7/e3") == first
    assert "../index.html" in links(public, "reports/data-7/e3/index.html")
    assert "../e3/index.html" in links(public, "reports/data-7/e10/index.html")
    assert find_broken_links(public) == []


def test_a_lost_page_of_editions_would_be_noticed(run, public):
    publish(run, public, 3)
    (public / "reports/data-7/index.html").unlink()
    assert any("../index.html" in link for link in find_broken_links(public))


def test_each_report_has_its_own(run, public):
    publish(run, public, 3)
    publish(run, public, 4, slug="data-8")
    for slug, other in (("data-7", "data-8"), ("data-8", "data-7")):
        assert not [link for link in links(public, f"reports/{slug}/index.html") if other in link]
    assert read_editions(public, "none") == ()


def test_editions_that_stay_are_not_written_again(run, public):
    publish(run, public, 3)
    before = photograph(public)
    build_site(public, templates={}, language="fr", unit="U")
    assert photograph(public) == before
