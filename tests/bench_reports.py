"""One report exported beside plain nbconvert: `python -m tests.bench_reports`.

The template of the epidemic runs once on 296 days of synthetic data. The same executed notebook
becomes a report folder (page, figures, tables as CSV, written to the disk) and, by nbconvert with
its own templates, a page in memory. All warm: code is highlighted and figures are unfolded once in
a process, since a report is rendered for its checks, for its reviewer and for the site; what that
saves is shown too. Workbooks and the PDF are made once, when a report is published.

Medians of 15 with the smallest and the largest; beside them the processor's time, which says more
on a machine that others use. Nothing is asserted here.
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter

from tests.integration.test_templates_run import run_template
from tests.sample_report import SampleRun, make_run
from wardbook.epidemic.generate import generate_files
from wardbook.headlines import Headline
from wardbook.report import blocks, exporter
from wardbook.report.pdf import print_report
from wardbook.report.render import render_report
from wardbook.report.workbook import add_workbooks
from wardbook.template.spec import load_template

ROOT = Path(__file__).resolve().parent.parent
DAYS = 296
ROUNDS = 15
WARM, PAGE = 0.040, 150_000
PICTURE = re.compile(r"data:image/png;base64,[^\"]*")
HEADLINES = [Headline(f"Personnes {number}", "24\u202f377", "le 8 janvier") for number in range(3)]


def measure(what: str, action: Callable[[], object], rounds: int = ROUNDS) -> tuple[float, float]:
    """Print what an action takes; returns the medians of its time and of the processor's."""
    action()
    wall, processor = [], []
    for _ in range(rounds):
        start, used = time.perf_counter(), time.process_time()
        action()
        wall.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
    median = statistics.median(wall)
    spread = f"({min(wall) * 1000:.0f}–{max(wall) * 1000:.0f})"
    used = statistics.median(processor)
    print(f"{what:<44} {median * 1000:6.0f} ms {spread:<12} processor {used * 1000:5.0f} ms")
    return median, used


def execute(scratch: Path) -> SampleRun:
    """Run the template; returns everything that its report needs."""
    stock, flow = generate_files(scratch, seed=1, days=DAYS)
    template = load_template(ROOT / "templates" / "hospital_epidemic")
    sources = {"hospital": stock, "admissions": flow}
    result = run_template(template, scratch / "run", sources, {})
    sample = make_run(scratch / "sample")
    sample.folder, sample.template = scratch / "run", template
    sample.released = list(result.outputs)
    return sample


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="wbreports") as name:
        scratch = Path(name)
        run, number = execute(scratch), count()

        def render() -> Path:
            destination = scratch / f"report-{next(number)}"
            render_report(
                executed=run.folder / "executed.ipynb",
                outputs=run.outputs,
                released=run.released,
                template=run.template,
                title="COVID-19 à l’hôpital",
                question=run.template.spec.question.in_language("fr"),
                provenance=run.provenance,
                language="fr",
                destination=destination,
                headlines=HEADLINES,
                beside=frozenset({"xlsx", "pdf"}),
            )
            return destination

        def render_first() -> None:
            blocks.clean_once.cache_clear()
            exporter.highlight.cache_clear()
            render()

        ours = measure("a report, its figures and tables on the disk", render)
        measure("    the same, nothing of it seen before", render_first)
        folder = render()
        page = (folder / "index.html").stat().st_size
        print(f"    its page without figures: {page / 1000:.0f} kB")
        executed = run.folder / "executed.ipynb"
        for template in ("lab", "classic"):
            plain = HTMLExporter(template_name=template)
            took = measure(
                f"plain nbconvert, template {template}",
                lambda plain=plain: plain.from_filename(str(executed)),
            )
            html, _ = plain.from_notebook_node(nbformat.read(executed, as_version=4))
            bare = len(PICTURE.sub("", html).encode())
            print(f"    its page {len(html.encode()) / 1000:.0f} kB, without pictures "
                  f"{bare / 1000:.0f} kB; ours in {ours[1] / took[1]:.2f} of the "
                  f"processor's time, "
                  f"{page / bare:.2f} of the size")  # fmt: skip
        measure("workbooks of its tables", lambda: add_workbooks(folder, run.template, "fr"), 3)
        measure("its PDF", lambda: print_report(folder, scratch / "report.pdf"), 3)
        print(f"targets: under {WARM * 1000:.0f} ms: {'met' if ours[0] < WARM else 'MISSED'} "
              f"(of the processor's time: {'met' if ours[1] < WARM else 'MISSED'}); "
              f"under {PAGE / 1000:.0f} kB: {'met' if page < PAGE else 'MISSED'}")  # fmt: skip


if __name__ == "__main__":
    main()
