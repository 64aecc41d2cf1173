"""What of the site everybody may see: nothing of an internal report, in no file of the copy."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.site import build_everything, copy_for, rebuild_site
from tests.factories import make_ticket, take
from tests.sample_report import TEMPLATE, make_run
from tests.site_house import make_site_house
from wardbook.domain.ticket import Person
from wardbook.pages.links import BrokenLinks
from wardbook.pages.page import Page
from wardbook.pages.publish import publish_report
from wardbook.report.problem import ReportProblem

INTERNAL, PUBLIC = "Zibeline interne", "Ocelot public"


def publish(folder: Path, public: Path, title: str, slug: str, *, internal: bool) -> None:
    run = make_run(folder / slug)
    if internal:
        home = folder / slug / "templates" / "ward_stays" / "template.toml"
        home.write_text(TEMPLATE.replace('sensitivity = "public"', 'sensitivity = "internal"'))
        from wardbook.template.spec import load_template

        run.template = load_template(home.parent)
    run.title = title
    run.provenance = replace(run.provenance, request=slug.upper(), service=f"Service {title}")
    publish_report(public, run.stage(f"staged-{slug}", unit="Unité"), slug, "2021-01")


def find_word(folder: Path, word: str) -> set[str]:
    """Name the files that hold a word, also in the compressed ones of the search's index."""
    found = set()
    for file in folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            if content[:2] == b"\x1f\x8b":
                content = gzip.decompress(content)
            if word.lower().encode() in content.lower() or word.lower() in file.name.lower():
                found.add(file.relative_to(folder).as_posix())
    return found


@pytest.fixture
def house(tmp_path, monkeypatch):
    # The documentation says nothing of reports, and has tests of its own.
    monkeypatch.setattr("wardbook.pages.docs.build_docs", lambda *_, **__: False)
    with make_site_house(tmp_path) as house:
        site = house.settings.site.folder
        publish(tmp_path, site, INTERNAL, "data-1", internal=True)
        publish(tmp_path, site, PUBLIC, "data-2", internal=False)
        yield house


def test_the_public_copy_holds_nothing_of_an_internal_report(house, tmp_path):
    site = build_everything(house)
    copy_for(house, "public", tmp_path / "out" / "public")
    copy_for(house, "internal", tmp_path / "out" / "internal")
    public, internal = tmp_path / "out" / "public", tmp_path / "out" / "internal"
    assert find_word(public, "zibeline") == find_word(public, "data-1") == set()
    told = find_word(internal, "zibeline")
    for file in ("index.html", "results/feed.atom", "results/index.html"):
        assert file in told
    assert any(name.startswith("search/pagefind/fragment/") for name in told)
    assert "reports/data-2/2021-01/index.html" in find_word(public, "ocelot")
    assert any(name.startswith("search/pagefind/fragment/") for name in find_word(public, "ocelot"))
    assert not (public / "requests").exists() and (site / "requests" / "index.html").is_file()
    assert [str(file) for file in public.rglob(".*") if file.name != ".htaccess"] == []


def test_the_state_of_a_request_tells_nothing_that_its_requester_wrote(house):
    foreign = {
        "summary": "Zibeline au résumé",
        "description": "Zibeline au texte",
        "reference": "ZIBELINE-1",
        "parameters": "zibeline = 1",
        "reporter": Person("zibeline", "Zoé Zibeline"),
        "key": "DATA-9",
    }
    take(house.ledger, make_ticket(**foreign))
    site = rebuild_site(house)
    page = (site / "requests" / "index.html").read_text()
    assert "DATA-9" in page and "Reçue" in page
    assert "zibeline" not in page.lower()
    assert "Zibeline" in str(house.ledger.record("DATA-9")), "the control: the ledger has it"


def test_a_card_that_says_otherwise_would_be_seen(house, tmp_path):
    """The control: what parts the two is the card's word, and the look for words finds it."""
    card = house.settings.site.folder / "reports" / "data-1" / "2021-01" / "report.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"sensitivity": "public"}))
    build_everything(house)
    copy_for(house, "public", tmp_path / "public")
    assert "index.html" in find_word(tmp_path / "public", "zibeline")


def test_pages_of_other_rooms_are_internal_unless_they_say_otherwise(house, tmp_path, monkeypatch):
    entry = {"groups": ()}
    pages = (
        Page("dashboards/index.html", "requests.html.j2", entry),
        Page("dashboards/open/index.html", "requests.html.j2", entry, target="public"),
    )
    monkeypatch.setattr("pipelines.site.site_pages", lambda _: pages)
    build_everything(house)
    copy_for(house, "public", tmp_path / "public")
    assert [file.parent.name for file in tmp_path.glob("public/dashboards/**/*.html")] == ["open"]
    assert (house.settings.site.folder / "dashboards" / "index.html").is_file()


def test_a_broken_link_leaves_no_copy(house, tmp_path):
    page = house.settings.site.folder / "reports" / "data-2" / "2021-01" / "index.html"
    page.write_text(page.read_text().replace("</main>", '<a href="gone.html">x</a></main>'))
    with pytest.raises(BrokenLinks, match=r"data-2/2021-01/index\.html: gone\.html"):
        build_everything(house)
    with pytest.raises(BrokenLinks):
        copy_for(house, "public", tmp_path / "out" / "public")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_copy_never_overwrites(house, tmp_path):
    build_everything(house)
    (tmp_path / "there").mkdir()
    for target in ("public", "internal"):
        with pytest.raises(ReportProblem, match="exists already"):
            copy_for(house, target, tmp_path / "there")
