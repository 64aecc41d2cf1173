"""A table of patients by ward and sex in which one group is small, for a tiny template."""

from __future__ import annotations

WARDS = """
[outputs.wards]
kind = "table"
title = { fr = "Services", en = "Wards" }
sensitivity = "public"
channel = "site"
dimensions = ["ward", "sex"]
total = { ward = "all", sex = "all" }
count = "n"
population = "stays"
[outputs.wards.columns]
ward = { fr = "Service", en = "Ward" }
sex = { fr = "Sexe", en = "Sex" }
n = { fr = "Patients", en = "Patients" }
[sources.stays]
kind = "hospital-stays"
label = { fr = "Séjours", en = "Stays" }
"""
COUNTS = {
    ("A", "F"): 40,
    ("A", "M"): 4,
    ("B", "F"): 30,
    ("B", "M"): 50,
    ("C", "F"): 20,
    ("C", "M"): 60,
}
FRAME = f"""import pandas as pd
import wardbook as wb
counts = {COUNTS!r}
rows = [(w, s, n) for (w, s), n in counts.items()]
frame = pd.DataFrame(rows, columns=["ward", "sex", "n"])
"""
CODE = f"""{FRAME}by_ward = frame.groupby("ward", as_index=False).n.sum().assign(sex="all")
by_sex = frame.groupby("sex", as_index=False).n.sum().assign(ward="all")
both = pd.DataFrame([("all", "all", frame.n.sum())], columns=["ward", "sex", "n"])
wb.say("answer")
wb.table("counts", pd.DataFrame({{"n": [12]}}))
wb.table("wards", pd.concat([frame, by_ward, by_sex, both])[["ward", "sex", "n"]])"""
