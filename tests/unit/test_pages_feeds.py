"""The Atom feeds of results: what RFC 4287 asks of one, and the same bytes each time."""

from dataclasses import replace
from datetime import datetime
from xml.etree import ElementTree

import pytest

from tests.page_reading import HOSTILE
from tests.sample_report import make_run
from wardbook.pages.build import build_site
from wardbook.pages.feeds import NEWEST, write_feed
from wardbook.pages.publish import publish_report
from wardbook.pages.results import Edition, Result
from wardbook.report.card import ReportCard

ATOM = "{http://www.w3.org/2005/Atom}"
SITE = "https://unit.hospital.example/site/"


def card(started: str, **fields) -> ReportCard:
    about = {"title": "Titre", "question": "Combien ?", "service": "Urgences", "language": "fr"}
    about |= {"template": "ward_stays", "topic": "Séjours", "request": "DATA-7"}
    return ReportCard(started=started, sensitivity="public", **(about | fields))


def result(name: str, *started: str, **fields) -> Result:
    return Result(
        tuple(Edition(f"reports/{name}/{day[:10]}", card(day, **fields)) for day in started)
    )


def write(*results: Result) -> bytes:
    about = {"title": "Urgences", "unit": "Unité", "site": SITE, "language": "fr"}
    return write_feed(results, folder="results/service/urgences", **about)


def check_atom(content: bytes) -> ElementTree.Element:
    """Hold a feed to sections 4.1.1 and 4.1.2 of RFC 4287, as far as they concern ours."""
    feed = ElementTree.fromstring(content)
    assert feed.tag == f"{ATOM}feed"
    for element in (feed, *feed.iter(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1, name
        assert datetime.fromisoformat(element.findtext(f"{ATOM}updated")).tzinfo
        assert element.findtext(f"{ATOM}id").startswith(SITE)
        links = [(link.get("rel"), link.get("type")) for link in element.findall(f"{ATOM}link")]
        assert len(links) == len(set(links)) and ("alternate", "text/html") in links
    assert feed.findtext(f"{ATOM}author/{ATOM}name")
    ids = [entry.findtext(f"{ATOM}id") for entry in feed.iter(f"{ATOM}entry")]
    assert len(ids) == len(set(ids))
    return feed


def test_a_feed_holds_every_edition_newest_first():
    content = write(
        result("a", "2021-03-01T00:00:00+00:00", "2021-01-01T00:00:00+00:00"),
        result("b", "2021-02-01T00:00:00+00:00", title=HOSTILE),
    )
    feed = check_atom(content)
    days = [entry.findtext(f"{ATOM}updated")[:7] for entry in feed.iter(f"{ATOM}entry")]
    assert days == ["2021-03", "2021-02", "2021-01"]
    assert feed.findtext(f"{ATOM}updated").startswith("2021-03-01")
    assert "<script>window.fired=1</script>" in feed.findall(f"{ATOM}entry/{ATOM}title")[1].text


def test_the_check_finds_what_a_feed_lacks():
    content = write(result("a", "2021-03-01T00:00:00+00:00"))
    for wrong in (b"<updated>2021-03-01T00:00:00+00:00</updated>", b"<name>Unit\xc3\xa9</name>"):
        assert wrong in content
        with pytest.raises((AssertionError, TypeError)):
            check_atom(content.replace(wrong, b""))


def test_an_empty_feed_and_a_long_one_are_feeds():
    assert list(check_atom(write()).iter(f"{ATOM}entry")) == []
    many = [result(f"r{n}", f"2021-01-{n % 28 + 1:02}T00:00:00+00:00") for n in range(NEWEST + 5)]
    assert len(list(check_atom(write(*many)).iter(f"{ATOM}entry"))) == NEWEST


def test_characters_that_xml_cannot_hold_do_not_break_it():
    feed = check_atom(write(result("a", "2021-03-01T00:00:00+00:00", title="a\x00b\x1b[31m\uffff")))
    assert feed.findtext(f"{ATOM}entry/{ATOM}title") == "a\ufffdb\ufffd[31m\ufffd"


def test_the_site_has_a_feed_for_all_for_each_service_and_each_topic(tmp_path):
    run, public = make_run(tmp_path), tmp_path / "public"
    for number, service in enumerate(("Urgences", "Hygiène"), 1):
        run.provenance = replace(run.provenance, service=service)
        publish_report(public, run.stage(f"staged-{number}"), f"data-{number}", "2021-01")
    build_site(public, templates={}, language="fr", unit="Unité", url=SITE.rstrip("/"))
    entries = {
        file.relative_to(public / "results").as_posix(): len(
            list(check_atom(file.read_bytes()).iter(f"{ATOM}entry"))
        )
        for file in public.rglob("*.atom")
    }
    assert entries == {
        "feed.atom": 2,
        "service/urgences/feed.atom": 1,
        "service/hygiene/feed.atom": 1,
        "topic/ward-stays/feed.atom": 2,
    }
