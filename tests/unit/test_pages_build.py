"""The pages around the reports."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.page_reading import HOSTILE, find_active, find_broken_links, photograph, read_page
from tests.sample_report import make_run
from wardbook.pages.build import LATEST, build_site
from wardbook.pages.lists import PER_PAGE
from wardbook.pages.publish import publish_report
from wardbook.report.layout import read_assets
from wardbook.report.problem import ReportProblem

UNIT = "Unité d’analyse"


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path)


@pytest.fixture
def public(tmp_path):
    return tmp_path / "public"


def publish(run, public, slug, edition="2021-01", started="2021-01-10T08:30:00+01:00", **fields):
    run.provenance = replace(run.provenance, started=started, **fields)
    return publish_report(public, run.stage(f"staged-{slug}-{edition}"), slug, edition)


def build(run, public, language="fr", **options):
    templates = {run.template.spec.name: run.template}
    build_site(public, templates=templates, language=language, unit=UNIT, **options)


def report_links(file):
    links = (a["href"] for a in read_page(file).all("a"))
    return [
        link.split("reports/")[1].removesuffix("/index.html")
        for link in links
        if "reports/" in link
    ]


def read_links(file):
    """The files that a page of the site leads to."""
    links = {str(a["href"]).partition("#")[0] for a in read_page(file).all("a")}
    return [(file.parent / link).resolve() for link in links if link and ":" not in link]


def test_an_empty_site_says_so_and_all_its_links_lead_somewhere(run, public):
    build(run, public)
    names = {"index.html", "404.html", "catalogue/index.html", "catalogue/ward_stays/index.html"}
    names |= {"results/index.html", "results/feed.atom", "search/index.html"}
    names |= {".htaccess", "search/.htaccess"}
    assert set(photograph(public)) == names | {f"assets/{name}" for name in read_assets()}
    assert "Aucun résultat" in read_page(public / "index.html").text
    assert find_broken_links(public) == []


def test_every_page_is_sound(run, public):
    publish(run, public, "data-7")
    build(run, public)
    for file in public.rglob("*.html"):
        page = read_page(file)
        assert find_active(page) == [], file
        assert page.unbalanced == page.stack == [], file
        assert len(page.all("h1")) == 1, file
        assert UNIT in page.text or "reports" in file.parts, file
        assert all("alt" in image for image in page.all("img")), file
        ids = [a["id"] for _, a in page.elements if "id" in a]
        assert len(ids) == len(set(ids)), file
    assert find_broken_links(public) == []


def test_a_broken_link_is_found(run, public):
    publish(run, public, "data-7")
    build(run, public)
    page = public / "results" / "index.html"
    text = page.read_text()
    page.write_text(text.replace("data-7/2021-01", "data-8/2021-01"))
    assert find_broken_links(public) == ["results/index.html: ../reports/data-8/2021-01/index.html"]
    (public / "catalogue" / "index.html").write_text('<a href="#nowhere"></a><a href="../../x">')
    assert find_broken_links(public)[:2] == [
        "catalogue/index.html: #nowhere",
        "catalogue/index.html: ../../x",
    ]


def test_results_are_listed_newest_first_by_service_topic_and_month(run, public):
    publish(run, public, "old", started="2021-01-01T00:00:00+00:00", service="B")
    publish(run, public, "new", started="2021-03-01T00:00:00+00:00", service="A")
    publish(run, public, "mid", started="2021-02-01T00:00:00+00:00", service="B")
    publish(run, public, "old", "2020-12", "2020-12-01T00:00:00+00:00")
    build(run, public)
    ordered = ["new/2021-01", "mid/2021-01", "old/2021-01", "old/2020-12"]
    lists = {
        "results": ordered,
        "results/service/a": ordered[:1],
        "results/service/b": ordered[1:],
        "results/topic/ward-stays": ordered,
        "results/month/2021-02": ordered[1:2],
    }
    for folder, wanted in lists.items():
        assert report_links(public / folder / "index.html") == wanted, folder
    assert report_links(public / "index.html") == ordered[:3]
    assert "mars 2021" in read_page(public / "results" / "month" / "2021-03" / "index.html").text


def test_services_of_one_spelling_have_lists_of_their_own(run, public):
    publish(run, public, "one", service="Réanimation")
    publish(run, public, "two", service="reanimation")
    build(run, public)
    folders = list((public / "results" / "service").iterdir())
    assert sorted(len(report_links(folder / "index.html")) for folder in folders) == [1, 1]


def test_a_list_has_a_hundred_reports_a_page_and_the_front_page_leads_to_each(run, public):
    folder = publish(run, public, "r0")
    for number in range(1, 2 * PER_PAGE + 1):
        shutil.copytree(folder, public / "reports" / f"r{number}" / "2021-01")
    build(run, public)
    reports = {file.parent.relative_to(public) for file in public.glob("reports/*/*/index.html")}
    assert len(reports) == 2 * PER_PAGE + 1
    home = public / "index.html"
    listed: set[Path] = set()
    for name in read_links(home):
        if name.suffix == ".html":
            listed |= {link.parent.relative_to(public) for link in read_links(name)}
    assert reports <= listed
    for page in (public / "results").rglob("*.html"):
        assert len(report_links(page)) <= PER_PAGE
    assert find_broken_links(public) == []


def test_pages_of_reports_that_are_gone_go_too(run, public):
    folder = publish(run, public, "leaves", service="A")
    publish(run, public, "stays", service="B")
    build(run, public)
    assert (public / "results" / "service" / "a" / "feed.atom").is_file()
    shutil.rmtree(folder.parent)
    build(run, public)
    assert not list((public / "results" / "service" / "a").glob("*"))
    assert find_broken_links(public) == []


def test_instants_are_compared_not_their_spelling(run, public):
    publish(run, public, "first", started="2021-01-10T08:00:00+00:00")
    publish(run, public, "later", started="2021-01-10T07:30:00-02:00")
    build(run, public)
    assert report_links(public / "index.html") == ["later/2021-01", "first/2021-01"]


def test_the_front_page_shows_the_latest_only_and_the_results_page_all(run, public):
    folder = publish(run, public, "r0")
    for number in range(1, LATEST + 2):
        shutil.copytree(folder, public / "reports" / f"r{number}" / "2021-01")
    build(run, public)
    assert len(report_links(public / "index.html")) == LATEST
    assert len(report_links(public / "results" / "index.html")) == LATEST + 2


def test_building_again_writes_nothing(run, public):
    publish(run, public, "data-7")
    build(run, public)
    before = photograph(public)
    build(run, public)
    assert photograph(public) == before
    build(run, public, language="en")
    assert photograph(public) != before


def test_a_removed_report_vanishes_from_the_lists(run, public):
    publish(run, public, "stays")
    folder = publish(run, public, "leaves", started="2021-02-01T00:00:00+00:00")
    build(run, public)
    assert report_links(public / "index.html") == ["leaves/2021-01", "stays/2021-01"]
    shutil.rmtree(folder.parent)
    build(run, public)
    for page in ("index.html", "results/index.html"):
        assert report_links(public / page) == ["stays/2021-01"]
    assert find_broken_links(public) == []


def test_a_half_published_report_is_not_listed(run, public):
    folder = publish(run, public, "data-7")
    shutil.copytree(folder, folder.parent / ".2021-02.abc.part")
    build(run, public)
    assert report_links(public / "results" / "index.html") == ["data-7/2021-01"]


def test_a_report_without_its_card_is_named(run, public):
    folder = publish(run, public, "data-7")
    (folder / "report.json").unlink()
    with pytest.raises(ReportProblem, match=r"data-7/2021-01/report\.json: missing"):
        build(run, public)


def test_hostile_cards_are_text(run, public):
    run.title = run.question = HOSTILE
    run.change("curve", alternative=HOSTILE)
    publish(run, public, "data-7", service=HOSTILE, request=HOSTILE)
    build(run, public, url="https://example.org/unit/")
    for file in public.rglob("*.html"):
        page = read_page(file)
        assert find_active(page) == [], file
        assert page.unbalanced == page.stack == [], file
    assert read_page(public / "results" / "index.html").text.count("<script>") >= 4
    assert find_broken_links(public, base="/unit/") == []


def test_the_catalogue_tells_what_a_template_declares(run, public):
    build(run, public)
    text = " ".join(read_page(public / "catalogue" / "ward_stays" / "index.html").text.split())
    for piece in (
        "Combien de séjours chaque service a-t-il eus ?",
        "Soins",
        "de 18 mars 2020 à 31 mars 2023",
        "Premier jour compté.",
        "2021-01-08",
        "choix, une ou plusieurs valeurs",
        "par défaut\u00a0: med",
        "Fichier des séjours",
        "duration Durée moyenne (jours)",
        "Sensible",
        "dans le partage, chiffré",
    ):
        assert piece.replace("\u00a0", " ") in text.replace("\u00a0", " "), piece
    build(run, public, language="en")
    english = read_page(public / "catalogue" / "ward_stays" / "index.html").text
    for piece in ("Stays by ward", "18 March 2020 to 31 March 2023", "Care", "encrypted"):
        assert piece in english


def test_the_page_of_missing_addresses_links_from_the_root(run, public):
    build(run, public, url="https://example.org/unit/")
    links = [a["href"] for a in read_page(public / "404.html").all("a")]
    assert all(link.startswith(("/unit/", "#")) for link in links)


def test_what_a_killed_process_left_is_swept_and_nothing_else(run, public):
    build(run, public)
    left = [public / ".abc.part", public / "assets" / ".def.part"]
    left += [public / "reports" / "data-7" / ".ghi.part"]
    left += [public / "catalogue" / "ward_stays" / "request" / ".jkl.part"]
    kept = public / "assets" / "notes.part"
    for file in (*left, kept):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("half")
    build(run, public)
    assert not any(file.exists() for file in left)
    assert kept.exists()
