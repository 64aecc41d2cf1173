"""A template, its executed notebook and its outputs, as an engine leaves them: for tests."""

import hashlib
import struct
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.page_reading import HOSTILE
from wardbook.domain.output import Check, Output, OutputKind, Verdict
from wardbook.report.provenance import Provenance
from wardbook.report.render import render_report
from wardbook.template.spec import Template, load_template

TEMPLATE = """
name = "ward_stays"
version = "1.2.0"
purposes = ["care"]

[title]
fr = "Séjours par service"
en = "Stays by ward"

[question]
fr = "Combien de séjours chaque service a-t-il eus ?"
en = "How many stays did each ward have?"

[parameters.period]
type = "date"
label = { fr = "Début de la période", en = "Start of the period" }
help = { fr = "Premier jour compté.", en = "First day counted." }
min = "2020-03-18"
max = "2023-03-31"
example = "2021-01-08"

[parameters.wards]
type = "choice"
many = true
required = false
label = { fr = "Services", en = "Wards" }
choices = ["med", "rea"]
default = "med"
example = "rea"

[sources.stays]
kind = "stays_csv"
label = { fr = "Fichier des séjours", en = "File of stays" }

[outputs.page]
kind = "report"
title = { fr = "Rapport", en = "Report" }
sensitivity = "public"
channel = "site"

[outputs.stays]
kind = "table"
title = { fr = "Séjours et durée", en = "Stays and duration" }
sensitivity = "public"
channel = "site"
count = "stays"

[outputs.stays.columns]
ward = { fr = "Service", en = "Ward" }
day = { fr = "Jour", en = "Day" }
stays = { fr = "Séjours", en = "Stays" }
duration = { fr = "Durée moyenne (jours)", en = "Mean duration (days)" }

[outputs.curve]
kind = "figure"
title = { fr = "Courbe des séjours", en = "Curve of stays" }
sensitivity = "public"
channel = "site"

[outputs.people]
kind = "table"
title = { fr = "Liste nominative", en = "List of persons" }
sensitivity = "sensitive"
channel = "share"

[outputs.people.columns]
name = { fr = "Nom", en = "Name" }
"""

STAYS = (
    "ward,day,stays,duration\n"
    "01,2021-01-08,12345,3.5\n"
    "2A,2021-01-09,7,12.25\n"
    "Réanimation,2021-01-10,,4.0\n"
)


def make_png(width: int = 640, height: int = 360, shade: int = 200) -> bytes:
    """A grey PNG, by the PNG specification: signature, header, one image chunk, end."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\0" + bytes([shade]) * width) * height
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*one) for one in chunks)


def display(publish: str, output: str | None = None, text: str = "", rows: int | None = None):
    """A display output as `wb.say`, `wb.table` and `wb.figure` write it."""
    mark = {"publish": publish, "output": output, "rows": rows}
    data = {"text/markdown": text, "text/html": "<b>stray html</b>", "text/plain": "stray plain"}
    return new_output("display_data", data=data, metadata={"wardbook": mark})


def stray_outputs() -> list:
    """What a notebook shows without declaring it."""
    return [
        new_output("stream", name="stdout", text="STRAY print"),
        new_output("display_data", data={"text/html": "<p>STRAY html</p>"}),
        new_output("execute_result", data={"text/plain": "STRAY result"}, execution_count=1),
        new_output("error", ename="E", evalue="STRAY value", traceback=["STRAY traceback"]),
    ]


@dataclass
class SampleRun:
    """A run's folder with everything that `render_report` needs; change a field, then render."""

    folder: Path
    template: Template
    cells: list
    released: list[Output]
    provenance: Provenance
    title: str = "Séjours de janvier 2021"
    question: str = "Combien de séjours chaque service a-t-il eus ?"
    options: dict = field(default_factory=dict)

    @property
    def outputs(self) -> Path:
        return self.folder / "outputs"

    def add(self, name: str, kind: OutputKind, content: bytes, **more) -> Output:
        """Write an output as the engine does, and release it."""
        file = name + {OutputKind.TABLE: ".csv", OutputKind.FIGURE: ".png"}[kind]
        (self.outputs / file).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        output = Output(name, kind, file, digest, len(content), **more)
        self.released.append(output)
        return output

    def change(self, name: str, **changes) -> None:
        """Change a released output's record."""
        self.released = [
            replace(one, **changes) if one.name == name else one for one in self.released
        ]

    def render(self, name: str = "rendered", language="fr", **options) -> Path:
        """Render the report into the folder `name` beside the run."""
        executed = self.folder / "executed.ipynb"
        notebook = new_notebook(cells=self.cells)
        notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
        nbformat.write(notebook, executed)
        destination = self.folder.parent / name
        render_report(
            executed=executed,
            outputs=self.outputs,
            released=self.released,
            template=self.template,
            title=self.title,
            question=self.question,
            provenance=self.provenance,
            language=language,
            destination=destination,
            **(self.options | options),
        )
        return destination

    def stage(self, name: str = "staged", **options) -> Path:
        """Render, and lay the receipt into the folder as the seal does."""
        folder = self.render(name, **options)
        (folder / "receipt.json").write_text('{"receipt": "sample"}')
        return folder


def make_template(folder: Path, declaration: str = TEMPLATE) -> Template:
    """Write and load the sample template."""
    home = folder / "ward_stays"
    home.mkdir(parents=True)
    (home / "template.toml").write_text(declaration, encoding="utf-8")
    nbformat.write(new_notebook(), home / "notebook.ipynb")
    return load_template(home)


def make_run(folder: Path) -> SampleRun:
    """A run whose notebook says something, shows a table and a figure, and strays."""
    (folder / "run" / "outputs").mkdir(parents=True)
    say = display("text", text="## Réponse\n\nLes séjours **augmentent**.")
    cells = [
        new_markdown_cell("STRAY note of the analyst"),
        new_code_cell("import wardbook as wb\nwb.say('answer')", outputs=[say]),
        new_code_cell("print('x')", outputs=stray_outputs()),
        new_code_cell("wb.table('stays', frame)", outputs=[display("table", "stays")]),
        new_code_cell("wb.figure('curve', figure)", outputs=[display("figure", "curve")]),
    ]
    provenance = Provenance(
        request="DATA-7",
        request_url="https://jira.example/browse/DATA-7",
        service="Hygiène hospitalière",
        template="Séjours par service",
        template_version="1.2.0",
        template_digest="a" * 64,
        commit="c" * 40,
        run="DATA-7.2021-01",
        started="2021-01-10T08:30:00+01:00",
        sources=(("Fichier des séjours", "sejours.csv", "b" * 64),),
        parameters=(("Début de la période", "8 janvier 2021"),),
        checks=(Check("stays", "small_cells", Verdict.PASS, "no_such_reason"),),
        dropped=("brouillon.csv",),
        environment="e" * 64,
        receipt="receipt.json",
    )
    run = SampleRun(folder / "run", make_template(folder / "templates"), cells, [], provenance)
    run.add("stays", OutputKind.TABLE, STAYS.encode(), rows=3, caption="Séjours par jour")
    run.add(
        "curve",
        OutputKind.FIGURE,
        make_png(),
        caption="Séjours de la semaine",
        alternative="Courbe qui monte de 7 à 12 345 séjours.",
    )
    return run


def put_words(run: SampleRun, text: str, *, link: str, receipt: str) -> None:
    """Put a text wherever a report's frame shows words that come from elsewhere."""
    run.title = run.question = text
    run.provenance = replace(
        run.provenance,
        request=text,
        request_url=link,
        service=text,
        template=text,
        template_version=text,
        commit=text,
        run=text,
        sources=((text, text, text),),
        parameters=((text, text),),
        checks=(Check(text, text, Verdict.HOLD, text, ((text, text),)),),
        dropped=(text,),
        environment=text,
        receipt=receipt,
    )


def make_hostile(run: SampleRun) -> None:
    """Put hostile text wherever a stranger can."""
    text = HOSTILE
    put_words(run, text, link="javascript:window.fired=1", receipt="javascript:window.fired=1")
    run.options["unit"] = text
    quoted = text.replace('"', '""')
    rows = f'"{quoted}","{quoted}","{quoted}","{quoted}"\n'
    run.released = []
    run.add(
        "stays",
        OutputKind.TABLE,
        f"ward,day,stays,duration\n{rows}".encode(),
        caption=text,
    )
    run.add("curve", OutputKind.FIGURE, make_png(), caption=text, alternative=text)
    run.cells += [
        new_code_cell(text, outputs=[display("text", text=text), display("table", text)]),
        new_code_cell("h", outputs=[new_output("display_data", data={"text/html": text})]),
    ]
