"""From an executed notebook to a report folder."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from nbformat.v4 import new_code_cell

from tests.page_reading import HOSTILE, Page, find_active, read_page
from tests.sample_report import TEMPLATE, display, make_hostile, make_run, make_template
from wardbook.domain.output import OutputKind
from wardbook.headlines import Headline
from wardbook.report import render
from wardbook.report.editions import PastEdition
from wardbook.report.exporter import highlight
from wardbook.report.limits import SizeLimits
from wardbook.report.problem import ReportProblem
from wardbook.report.publication import code_cells
from wardbook.shipped import shipped_folder


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path)


def names_in(folder) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def test_a_report_is_a_page_its_card_figures_and_tables(run):
    folder = run.render()
    assert names_in(folder) == {
        "index.html",
        "report.json",
        "figures/curve.png",
        "tables/stays.csv",
    }
    for name in ("stays.csv", "curve.png"):
        copy = next(folder.glob(f"*/{name}"))
        assert copy.read_bytes() == (run.outputs / name).read_bytes()


def test_only_what_was_declared_is_published(run):
    page = (run.render() / "index.html").read_text()
    assert "Les séjours <strong>augmentent</strong>." in page
    assert "STRAY" not in page
    assert "stray" not in page


def test_what_was_not_declared_is_there_to_be_left_out(run):
    run.render()
    assert (run.folder / "executed.ipynb").read_text().count("STRAY") == 6


def test_a_page_is_one_that_a_reader_and_a_browser_can_rely_on(run):
    page = read_page(run.render() / "index.html")
    assert page.all("html") == [{"lang": "fr"}]
    assert len(page.all("h1")) == 1
    assert page.unbalanced == page.stack == []
    assert find_active(page) == []
    policy = [m["content"] for m in page.all("meta") if "http-equiv" in m]
    assert policy[0].startswith("default-src 'none'")
    assert page.all("a")[0] == {"class": "skip", "href": "#content"}
    assert page.all("details")[0] == {"class": "code"}
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))


def test_a_table_has_caption_labels_and_numbers_of_the_language(run):
    page = read_page(run.render() / "index.html")
    assert [th["scope"] for th in page.all("th")] == ["col"] * 4 + ["row"] * 3
    for piece in ("Séjours par jour", "Durée moyenne (jours)", "12\u202f345", "9 janv. 2021"):
        assert piece in page.text
    english = read_page(run.render("english", language="en") / "index.html")
    for piece in ("Mean duration (days)", "12,345", "9 Jan 2021", "Provenance"):
        assert piece in english.text


def test_the_rows_that_the_template_wants_are_shown_and_all_are_in_the_file(run):
    run.cells = [new_code_cell("t", outputs=[display("table", "stays", rows=1)])]
    page = read_page(run.render() / "index.html")
    assert "Lignes affichées\u00a0: 1 sur 3" in page.text
    assert "2A" not in page.text
    assert {"href": "tables/stays.csv", "download": None} in page.all("a")


def test_a_figure_has_alternative_text_and_its_size(run):
    image = read_page(run.render() / "index.html").all("img")[-1]
    assert image == {
        "src": "figures/curve.png",
        "alt": "Courbe qui monte de 7 à 12 345 séjours.",
        "width": "640",
        "height": "360",
    }


@pytest.mark.parametrize("alternative", ["", " \n"])
def test_a_figure_without_alternative_text_is_refused(run, alternative):
    run.change("curve", alternative=alternative)
    with pytest.raises(ReportProblem, match="'curve' has no alternative text"):
        run.render()
    assert not list(run.folder.parent.glob("*rendered*"))


def test_an_output_that_was_not_released_leaves_a_sentence(run):
    run.released = [output for output in run.released if output.name != "stays"]
    folder = run.render()
    assert "Séjours et durée\u00a0» n’est pas publié ici" in read_page(folder / "index.html").text
    assert "12\u202f345" not in read_page(folder / "index.html").text
    assert not (folder / "tables").exists()


def test_an_output_more_sensitive_than_the_report_stays_out_of_it(run):
    run.add("people", OutputKind.TABLE, b"name\nDUPONT\n", rows=1)
    run.cells.append(new_code_cell("p", outputs=[display("table", "people")]))
    folder = run.render()
    assert "Liste nominative\u00a0» n’est pas publié" in read_page(folder / "index.html").text
    assert "tables/people.csv" not in names_in(folder)
    assert not any(b"DUPONT" in file.read_bytes() for file in folder.rglob("*.*"))


def test_a_sensitive_report_holds_its_sensitive_table(run, tmp_path):
    sensitive = 'sensitivity = "sensitive"\nchannel = "share"'
    public = 'sensitivity = "public"\nchannel = "site"'
    run.template = make_template(tmp_path / "other", TEMPLATE.replace(public, sensitive, 1))
    run.add("people", OutputKind.TABLE, b"name\nDUPONT\n", rows=1)
    run.cells.append(new_code_cell("p", outputs=[display("table", "people")]))
    folder = run.render(assets=None)
    assert "DUPONT" in read_page(folder / "index.html").text
    assert json.loads((folder / "report.json").read_text())["sensitivity"] == "sensitive"


def test_a_report_outside_the_site_carries_its_assets_and_no_link_to_the_site(run):
    folder = run.render(assets=None)
    page = read_page(folder / "index.html")
    assert {"assets/wardbook.css", "assets/mark.svg"} < names_in(folder)
    assert not [a for a in page.all("a") if a["href"].endswith("index.html")]
    assert {"rel": "stylesheet", "href": "assets/wardbook.css"} in page.all("link")


@pytest.mark.parametrize("name", ["stays.csv", "curve.png"])
def test_a_missing_or_changed_file_is_refused(run, name):
    file = run.outputs / name
    file.write_bytes(file.read_bytes() + b"\n")
    with pytest.raises(ReportProblem, match=f"{name}: differs"):
        run.render()
    file.unlink()
    with pytest.raises(ReportProblem, match=f"{name}: released, but not"):
        run.render()


def test_a_missing_notebook_is_refused(run):
    run.render()
    (run.folder / "executed.ipynb").write_text("{")
    options = {"executed": run.folder / "executed.ipynb", "destination": run.folder / "x"}
    rest = {name: getattr(run, name) for name in ("outputs", "released", "template", "title")}
    for _ in range(2):
        with pytest.raises(ReportProblem, match=r"executed\.ipynb: "):
            render.render_report(
                **options,
                **rest,
                question="q",
                provenance=run.provenance,
                language="fr",
            )
        options["executed"].unlink(missing_ok=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"file": "../curve.png"},
        {"file": "/etc/passwd"},
        {"name": "unknown"},
        {"kind": OutputKind.TABLE},
    ],
)
def test_an_output_that_is_not_what_the_template_declares_is_refused(run, changes):
    run.released[-1] = replace(run.released[-1], **changes)
    with pytest.raises(ReportProblem, match="output '"):
        run.render()


def test_a_figure_file_that_is_no_png_is_refused(run):
    run.released = []
    run.add("curve", OutputKind.FIGURE, b"<svg onload=alert(1)>", alternative="x")
    with pytest.raises(ReportProblem, match="not a PNG"):
        run.render()


@pytest.mark.parametrize(
    ("publish", "output", "rows"),
    [("html", None, None), ("table", None, None), ("table", "stays", 0), ("table", "stays", "5")],
)
def test_a_display_that_nobody_of_ours_wrote_is_refused_with_its_cell(run, publish, output, rows):
    run.cells.append(new_code_cell("x", outputs=[display(publish, output, rows=rows)]))
    with pytest.raises(ReportProblem, match="code cell 5"):
        run.render()


def test_a_table_shown_as_a_figure_is_refused(run):
    run.cells.append(new_code_cell("x", outputs=[display("figure", "stays")]))
    with pytest.raises(ReportProblem, match="'stays' is shown as a figure"):
        run.render()


def test_an_existing_destination_is_left_alone(run):
    folder = run.render()
    before = (folder / "index.html").read_bytes()
    with pytest.raises(ReportProblem, match="exists already"):
        run.render()
    assert (folder / "index.html").read_bytes() == before


def test_a_crash_in_the_last_write_leaves_nothing(run, monkeypatch):
    written = []

    def break_at_the_card(folder, card):
        del card
        written.extend(sorted(names_in(folder)))
        raise OSError("disk full")

    monkeypatch.setattr(render, "write_card", break_at_the_card)
    before = set(run.folder.parent.iterdir())
    with pytest.raises(OSError, match="disk full"):
        run.render()
    assert written == ["figures/curve.png", "tables/stays.csv"]
    assert set(run.folder.parent.iterdir()) == before
    monkeypatch.undo()
    assert (run.render() / "index.html").is_file()


def test_hostile_text_in_every_field_is_text(run):
    calm = read_page(run.render("calm") / "index.html")
    make_hostile(run)
    folder = run.render("hostile")
    page = read_page(folder / "index.html")
    assert find_active(page) == []
    assert page.unbalanced == page.stack == []
    assert {tag for tag, _ in page.elements} - {tag for tag, _ in calm.elements} <= {"div", "pre"}
    assert page.text.count("window.fired=1</script>") >= 18
    assert page.text.count("${window.fired=1} {{ 7*7 }} {% raw %}") >= 18
    assert names_in(folder) == {"index.html", "report.json", "figures/curve.png"} | {
        "tables/stays.csv"
    }


def test_an_unsafe_page_is_recognised(run):
    file = run.folder / "unsafe.html"
    file.write_text(f"<title>{HOSTILE}</title><p style=x><a href='javascript:1'>")
    found = find_active(read_page(file))
    for active in ("<script>", "<img onerror>", "<svg onload>", "<p style>", "<a href=javascript"):
        assert any(one.startswith(active) for one in found), (active, found)


def test_a_start_without_a_time_zone_is_refused(run):
    run.provenance = replace(run.provenance, started="2021-01-10T08:30:00")
    with pytest.raises(ReportProblem, match="no time zone"):
        run.render()


def test_the_page_alone_is_light(run):
    rows = "".join(f"Service {n},2021-01-08,{n * 1000},3.5\n" for n in range(120))
    run.released = run.released[1:]
    run.add("stays", OutputKind.TABLE, f"ward,day,stays,duration\n{rows}".encode(), rows=120)
    assert (run.render() / "index.html").stat().st_size < 60_000


def test_a_cut_cell_says_so_in_words_and_keeps_no_colour(run):
    table = next(one for one in run.released if one.kind is OutputKind.TABLE)
    content = (run.outputs / table.file).read_text().splitlines()
    columns = content[0].split(",")
    content[1] = ",".join(["A", *[""] * (len(columns) - 1)])
    colours = ["#ff0000", "#00ff00"]
    styles = [
        [row, len(columns) - 1, [["background-color", colour]]]
        for row, colour in enumerate(colours)
    ]
    for cell in run.cells:
        for output in cell.get("outputs", []):
            mark = output.get("metadata", {}).get("wardbook", {})
            if mark.get("output") == table.name:
                mark["styles"] = styles
    run.released.remove(table)
    run.add(table.name, table.kind, ("\n".join(content) + "\n").encode())
    plain = (run.render("plain") / "index.html").read_text()
    assert "masqué" not in plain
    folder = run.render("cut", hidden={table.name: frozenset({0})})
    page = (folder / "index.html").read_text()
    assert page.count('cut">masqué<') == len(columns)
    rules = (folder / "styles.css").read_text()
    assert "#ff0000" not in rules, "a colour alone may tell a value"
    assert "#00ff00" in rules
    assert page.count('cell-2"') == 1, "the other row keeps its colour"
    assert "cell-1" not in page
    parsed = read_page(folder / "index.html")
    described = [
        one["aria-describedby"] for one in parsed.all("table") if "aria-describedby" in one
    ]
    assert described == ["table-1-cut"]
    assert 'id="table-1-cut"' in page
    assert f"{len(columns)} valeur(s) de ce tableau ne sont pas montrées" in page
    assert (folder / "tables" / table.file).read_text().splitlines()[1] == content[1]


def test_the_answer_stands_first_below_the_question(run):
    told = [
        Headline("Séjours", "12\u202f345", "en janvier 2021"),
        Headline("Durée <b>moyenne</b>", "3,5\u00a0j", ""),
    ]
    page = (run.render(headlines=told) / "index.html").read_text()
    places = [
        page.index(one)
        for one in ("Combien de séjours", ">12\u202f345<", "Durée &lt;b&gt;", "augmentent")
    ]
    assert places == sorted(places)
    assert page.count('<dd class="quiet">') == 1, "a headline without a note has none"
    assert 'class="headlines"' not in (run.render("without") / "index.html").read_text()


def test_methods_and_limits_follow_the_report_wherever_the_notebook_says_them(run):
    said = [
        display("text", key, text)
        for key, text in (
            ("methods", "## Méthode\n\nOn compte."),
            ("limits", "## Limites\n\nPeu."),
            ("closing", "Pour finir."),
        )
    ]
    run.cells.insert(0, new_code_cell("m", outputs=said))
    page = (run.render() / "index.html").read_text()
    places = [
        page.index(one)
        for one in ("Pour finir.", "augmentent", 'id="methods"', "On compte.", "Peu.", "Provenance")
    ]
    assert places == sorted(places)
    assert page.count("On compte.") == 1
    silent = run.cells.pop(0)
    assert silent
    assert "ne décrit pas sa méthode" in (run.render("silent") / "index.html").read_text()


def test_an_edition_names_those_before_it_and_leads_to_those_after_it(run):
    past = [PastEdition(f"run-{day}", datetime(2021, 1, day, 8, tzinfo=UTC)) for day in (9, 2)]
    page = read_page(run.render(editions=past) / "index.html")
    links = [a["href"] for a in page.all("a")]
    assert links.count("../index.html") == 2
    assert [link for link in links if link.startswith("../run-")] == [
        "../run-9/index.html",
        "../run-2/index.html",
    ]
    assert "9 janvier 2021, 08:00 UTC édition précédente" in " ".join(page.text.split())
    alone = read_page(run.render("alone", assets=None) / "index.html")
    assert not [a for a in alone.all("a") if a["href"].startswith("../")]


def test_what_will_lie_beside_the_page_is_offered_and_nothing_else(run):
    plain = (run.render("plain") / "index.html").read_text()
    assert ".xlsx" not in plain
    assert ".pdf" not in plain
    page = read_page(run.render(beside=frozenset({"xlsx", "pdf"})) / "index.html")
    links = [a["href"] for a in page.all("a") if "download" in a]
    assert links.count("tables/stays.xlsx") == 2, "at the table and in the list"
    assert links.count("report.pdf") == 1


def test_the_days_of_a_table_can_be_sorted_by_what_they_are(run):
    page = read_page(run.render() / "index.html")
    assert [time["datetime"] for time in page.all("time")][1:4] == [
        "2021-01-08",
        "2021-01-09",
        "2021-01-10",
    ]


def test_what_names_a_row_is_its_head(run, tmp_path):
    roles = 'count = "stays"\ndimensions = ["day"]\ntime = "day"\nlabels = { ward = "day" }'
    run.template = make_template(tmp_path / "other", TEMPLATE.replace('count = "stays"', roles))
    page = (run.render() / "index.html").read_text()
    assert page.count('<th scope="row"') == 3
    assert '<th scope="row" class="name">Réanimation</th>' in page
    switched = roles.replace("ward", "duration")
    run.template = make_template(tmp_path / "third", TEMPLATE.replace('count = "stays"', switched))
    assert '<th scope="row" class="name">3.5</th>' in (run.render("b") / "index.html").read_text()


def test_a_page_or_a_folder_over_its_limit_is_refused_with_sizes_and_a_way_out(run):
    folder = run.render("measured")
    page = (folder / "index.html").stat().st_size
    files = sum((folder / name).stat().st_size for name in names_in(folder) - {"report.json"})
    run.render("fits", limits=SizeLimits(page=page, folder=files))
    with pytest.raises(
        ReportProblem, match=r"index\.html would have \d+ kB .* kB is the limit"
    ) as one:
        run.render("page", limits=SizeLimits(page=page - 1, folder=files))
    assert "page_kb" in str(one.value)
    with pytest.raises(ReportProblem, match=r"files would have \d+ kB together") as other:
        run.render("folder", limits=SizeLimits(page=page, folder=files - 1))
    assert "report_kb" in str(other.value)
    assert not [name for name in run.folder.parent.glob("*") if "page" in name.name]
    assert not list(run.folder.parent.glob(".*"))


def test_code_is_coloured_where_the_style_sheet_colours_and_loses_no_character(run):
    source = "def f(a, b):  # <b> & co\n    return f'{a}' + b[0] if a else None\n"
    code = str(highlight(source, "ipython3"))
    page = Page()
    page.feed(code)
    assert page.text.strip() == source.strip()
    classes = {one["class"] for one in page.all("span")}
    assert {"k", "c1", "kc", "mi"} <= classes
    styles = (shipped_folder("site") / "assets" / "wardbook.css").read_text()
    coloured = set(re.findall(r"\.([a-z][a-z0-9]?)(?=[,)])", styles))
    assert classes <= coloured, "a mark that nothing colours is only weight"


def test_the_code_of_our_largest_template_leaves_room_for_its_report(root):
    sizes = {}
    for template in (root / "templates").glob("*/notebook.ipynb"):
        cells = code_cells(json.loads(template.read_text(encoding="utf-8")))
        code = ("".join(cell["source"]) for cell in cells)
        sizes[template.parent.name] = sum(len(highlight(one, "r").encode()) for one in code)
    assert max(sizes.values()) < SizeLimits().page / 2, sizes
