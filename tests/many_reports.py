"""A site with many reports, for tests and benchmarks of what grows with their number.

One report is made by the real renderer; the others are copies of it with words, cards and figures'
texts of their own, in a seeded choice of services, months and topics.
"""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from tests.sample_report import make_run
from wardbook.pages.publish import publish_report
from wardbook.template.spec import Template

SERVICES = (
    *("Urgences", "Réanimation", "Pédiatrie", "Gériatrie", "Cardiologie", "Biologie"),
    *("Hygiène hospitalière", "Direction médicale", "Maternité", "Oncologie"),
)
SUBJECTS = (
    *("grippe", "bronchiolite", "occupation", "hémolyse", "prélèvement", "antibiotique", "chute"),
    *("transfusion", "passage", "séjour", "réadmission", "délai", "positivité", "vaccination"),
)
FIRST = datetime.fromisoformat("2024-01-02T06:00:00+01:00")


def publish_many(folder: Path, public: Path, count: int, *, seed: int = 1) -> Template:
    """Publish `count` reports below `public`; returns the template of all of them."""
    run = make_run(folder / "model")
    run.title = "Rapport modèle"
    run.provenance = replace(run.provenance, service="Service modèle", request="DATA-MODELE")
    model = run.stage("model-staged", unit="Unité")
    publish_one(public, model, 0, random.Random(seed))
    for number in range(1, count):
        publish_one(public, model, number, random.Random(seed + number))
    return run.template


def publish_one(public: Path, model: Path, number: int, chance: random.Random) -> str:
    """Publish a copy of `model` with words of its own; returns its title."""
    subject, other = chance.sample(SUBJECTS, 2)
    service = SERVICES[chance.randrange(len(SERVICES))]
    title = f"{subject.capitalize()} et {other}, rapport {number}"
    staged = model.parent / f"staged-{number}"
    shutil.copytree(model, staged)
    prose = " ".join(chance.choices([*SUBJECTS, "hausse", "baisse", "semaine", "service"], k=120))
    page = (staged / "index.html").read_text(encoding="utf-8")
    for old, new in (
        ("Rapport modèle", title),
        ("Service modèle", service),
        ("DATA-MODELE", f"DATA-{number}"),
        ("</article>", f"<p>{prose}</p></article>"),
    ):
        page = page.replace(old, new)
    (staged / "index.html").write_text(page, encoding="utf-8")
    card = json.loads((staged / "report.json").read_text(encoding="utf-8"))
    started = FIRST + timedelta(hours=17 * number)
    card |= {"title": title, "service": service, "request": f"DATA-{number}"}
    card["started"] = started.isoformat()
    (staged / "report.json").write_text(json.dumps(card), encoding="utf-8")
    publish_report(public, staged, f"data-{number}", "1")
    shutil.rmtree(staged)
    return title
