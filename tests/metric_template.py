"""A small template with metrics and a dashboard: wards by day, with what the rules withhold."""

from __future__ import annotations

from pathlib import Path

from tests.tiny_template import notebook

DECLARED = """
name = "beds"
version = "1"
title = { fr = "Lits", en = "Beds" }
question = { fr = "Les lits sont-ils pleins ?", en = "Are the beds full?" }

[outputs.daily]
kind = "table"
title = { fr = "Par jour et service", en = "By day and ward" }
sensitivity = "internal"
channel = "grafana"
dimensions = ["day", "ward"]
time = "day"
total = { ward = "ALL" }
count = "stays"

[outputs.daily.columns]
day = { fr = "Jour", en = "Day" }
ward = { fr = "Service", en = "Ward" }
stays = { fr = "Séjours", en = "Stays" }
occupancy = { fr = "Occupation (%)", en = "Occupancy (%)" }
length = { fr = "Durée moyenne (jours)", en = "Mean length (days)" }

[outputs.daily.measures]
occupancy = { statistic = "mean" }
length = { statistic = "mean" }

[outputs.arrivals]
kind = "table"
title = { fr = "Arrivées par heure", en = "Arrivals by hour" }
sensitivity = "internal"
channel = "grafana"
dimensions = ["day", "hour", "triage"]
time = "day"
count = "arrivals"

[outputs.arrivals.columns]
day = { fr = "Jour", en = "Day" }
hour = { fr = "Heure", en = "Hour" }
triage = { fr = "Tri", en = "Triage" }
arrivals = { fr = "Arrivées", en = "Arrivals" }
admitted = { fr = "Hospitalisées", en = "Admitted" }

[outputs.arrivals.measures]
admitted = { statistic = "count", denominator = "arrivals" }

[dashboard]
title = { fr = "Occupation des lits", en = "Bed occupancy" }
help = { fr = "Chaque service, chaque jour.", en = "Each ward, each day." }
span_days = 60

[dashboard.words.ward]
ALL = { fr = "Ensemble", en = "All wards" }
CARD = { fr = "Cardiologie", en = "Cardiology" }

[dashboard.panels.now]
title = { fr = "Occupation de l'ensemble", en = "Occupancy of all wards" }
output = "daily"
kind = "stat"
measures = ["occupancy"]
unit = "percent"
decimals = 0
[[dashboard.panels.now.thresholds]]
above = 90
severity = "warning"
[[dashboard.panels.now.thresholds]]
above = 98
severity = "critical"

[dashboard.panels.occupancy]
title = { fr = "Occupation par service", en = "Occupancy by ward" }
help = { fr = "Lits occupés à minuit.", en = "Beds taken at midnight." }
output = "daily"
kind = "timeseries"
measures = ["occupancy"]
by = "ward"
unit = "percent"
[[dashboard.panels.occupancy.thresholds]]
above = 95
severity = "critical"
[dashboard.panels.occupancy.thresholds.alert]
periods = 2
within_days = 400
message = { fr = "Plus de 95 % de lits occupés, deux jours de suite.", en = "Over 95% twice." }

[dashboard.panels.stays]
title = { fr = "Séjours et durée", en = "Stays and length" }
output = "daily"
kind = "table"
measures = ["stays", "length"]
by = "ward"
decimals = 1

[dashboard.panels.flow]
title = { fr = "Arrivées par heure", en = "Arrivals by hour" }
output = "arrivals"
kind = "heatmap"
measures = ["arrivals"]
by = "hour"
sum_over = ["triage"]

[dashboard.panels.admission]
title = { fr = "Part hospitalisée", en = "Share admitted" }
output = "arrivals"
kind = "bar"
numerator = "admitted"
denominator = "arrivals"
per = 100
by = "triage"
sum_over = ["hour"]
unit = "percent"
[[dashboard.panels.admission.thresholds]]
below = 10
severity = "info"
alert = { message = { fr = "Peu d'hospitalisations.", en = "Few admissions." }, within_days = 400 }

[dashboard.panels.each_day]
title = { fr = "Arrivées et hospitalisations par jour", en = "Arrivals and admissions by day" }
output = "arrivals"
kind = "bar"
measures = ["arrivals", "admitted"]
sum_over = ["hour", "triage"]
"""


def write_metric_template(catalogue: Path, declared: str = DECLARED) -> Path:
    """Write the template into a catalogue; returns its folder."""
    folder = catalogue / "beds"
    folder.mkdir(parents=True)
    (folder / "template.toml").write_text(declared, encoding="utf-8")
    (folder / "notebook.ipynb").write_text(notebook(), encoding="utf-8")
    return folder
