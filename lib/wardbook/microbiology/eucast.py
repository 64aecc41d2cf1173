"""EUCAST's breakpoints by version: what an isolate is by each, and what changed between them.

The file is a table of the R package AMR (`clinical_breakpoints`), one row per version, method,
organism or group, site of infection and drug. A minimum inhibitory concentration (MIC) is S at or
below `breakpoint_S` and R above `breakpoint_R`; an inhibition zone is S from `breakpoint_S` on and
R below `breakpoint_R`; what lies between is I. S at 0.001 or less says that nothing is S.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from wardbook.delimited import parse_choices, read_records, refuse_values
from wardbook.errors import DataProblem
from wardbook.microbiology.catalogue import Catalogue

COLUMNS = (
    *("guideline", "type", "host", "method", "site", "mo", "rank_index", "ab", "ref_tbl"),
    *("disk_dose", "breakpoint_S", "breakpoint_R", "uti", "is_SDD"),
)
SITES = ("", "Non-meningitis", "Intravenous", "Uncomplicated urinary tract infection")
"""The sites whose breakpoints are used, first to last: an antibiogram is read before the infection
is known, in hospital, where drugs are given into a vein. The last one holds for urine alone."""
URINE = "urine"


def read_breakpoints(path: Path) -> pd.DataFrame:
    """Read a table of breakpoints: guideline, method, site, organism, drug, s, r.

    Rows without one of both numbers say that nothing is to be read of the method: they are left
    out, as are those that are not for humans.

    Raises:
        DataProblem: the file is not such a table.
    """
    records = read_records(path, [COLUMNS], delimiter=",")
    parse_choices(records, "method", ("MIC", "DISK"), "choice_unknown", expected="MIC, DISK")
    for column in ("breakpoint_S", "breakpoint_R"):
        refuse_values(records, column, _is_no_number, "number_form")
    frame = records.frame[records.frame["type"] == "human"].astype("str")
    table = frame[["guideline", "method", "site"]].assign(
        organism=frame["mo"],
        drug=frame["ab"],
        s=pd.to_numeric(frame["breakpoint_S"], errors="coerce"),
        r=pd.to_numeric(frame["breakpoint_R"], errors="coerce"),
    )
    return table.dropna(subset=["s", "r"]).reset_index(drop=True)


def choose_version(breakpoints: pd.DataFrame | None, version: str) -> pd.DataFrame:
    """Return the rows of one version, e.g. "EUCAST 2025".

    Raises:
        DataProblem: no file was given, or it does not have this version.
    """
    if breakpoints is None or not (breakpoints["guideline"] == version).any():
        raise DataProblem("breakpoints_missing", version=version)
    return breakpoints[breakpoints["guideline"] == version]


def find_limits(
    cells: Iterable[tuple[str, str, bool]], version: pd.DataFrame, method: str, catalogue: Catalogue
) -> Mapping[tuple[str, str, bool], tuple[float, float]]:
    """Return s and r of each (organism, drug, from urine) that has breakpoints.

    The organism's own row goes before that of its group, and so on; among those of one organism
    the site decides (see SITES).
    """
    table = version[version["method"] == method]
    rows = table[["organism", "drug", "site", "s", "r"]].itertuples(index=False)
    known = {(organism, drug, site): (s, r) for organism, drug, site, s, r in rows}
    limits = {}
    for organism, drug, urine in cells:
        sites = SITES if urine else SITES[:-1]
        places = ((one, site) for one in catalogue.organisms[organism].lineage for site in sites)
        found = next((known[o, drug, s] for o, s in places if (o, drug, s) in known), None)
        if found is not None:
            limits[organism, drug, urine] = found
    return limits


def interpret(rows: pd.DataFrame, version: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Return the rows with `result` by one version: S, I, R, or nothing where none can be told.

    By the MIC where there is one, else by the zone. A MIC that is only bounded is told where the
    bound settles it: "at most 4" is nothing where 2 is S and 4 is not. What was reported is not
    used.
    """
    urine = rows["specimen"] == URINE
    result: pd.Series[str] = pd.Series(None, index=rows.index, dtype="str")
    places = pd.Series(
        list(zip(rows["organism"], rows["drug"], urine, strict=True)), index=rows.index
    )
    for method, values in (("DISK", rows["zone"].astype("Float64")), ("MIC", rows["mic"])):
        limits = find_limits(set(places), version, method, catalogue)
        pair = places.map(lambda place, limits=limits: limits.get(place, (np.nan, np.nan)))
        s, r = (pair.map(lambda one, at=at: one[at]).astype(float) for at in (0, 1))
        value = values.astype(float)
        mic = method == "MIC"
        read = _read_mic(value, rows["mic_bound"], s, r) if mic else _read_zone(value, s, r)
        result = read.where(read.notna(), result)
    interpreted: pd.DataFrame = rows.assign(result=result)
    return interpreted


def _read_mic(
    value: pd.Series[float], bound: pd.Series[str], s: pd.Series[float], r: pd.Series[float]
) -> pd.Series[str]:
    read = _choose(value <= s, value > r, value.notna() & s.notna())
    at_most, above = bound == "at_most", bound == "above"
    # Above a value that is not below r: certainly R. At most a value that is not above s: S.
    read = read.mask(at_most & ~(value <= s))
    certain = above & (value >= r)
    return read.mask(above & ~certain).mask(certain, "R")


def _read_zone(value: pd.Series[float], s: pd.Series[float], r: pd.Series[float]) -> pd.Series[str]:
    return _choose(value >= s, value < r, value.notna() & s.notna())


def _choose(
    susceptible: pd.Series[bool], resistant: pd.Series[bool], known: pd.Series[bool]
) -> pd.Series[str]:
    letters = np.where(susceptible, "S", np.where(resistant, "R", "I"))
    return pd.Series(letters, index=known.index, dtype="str").where(known)


def compare_versions(
    rows: pd.DataFrame, breakpoints: pd.DataFrame, versions: Sequence[str], catalogue: Catalogue
) -> pd.DataFrame:
    """Return the rows that every version can tell, once for each: with `version` and `result`.

    Only organisms and drugs of which some isolate is told otherwise by another version.
    """
    told = [
        interpret(rows, choose_version(breakpoints, one), catalogue).assign(version=one)
        for one in versions
    ]
    known = np.logical_and.reduce([one["result"].notna() for one in told])
    results = np.stack([one["result"].astype(object).to_numpy() for one in told])
    changed = known & (results != results[0]).any(axis=0)
    cells = pd.MultiIndex.from_frame(rows[["organism", "drug"]])
    kept = known & cells.isin(cells[changed])
    compared: pd.DataFrame = pd.concat([one[kept] for one in told], ignore_index=True)
    return compared


def list_changes(
    breakpoints: pd.DataFrame,
    pairs: Iterable[tuple[str, str]],
    versions: Sequence[str],
    catalogue: Catalogue,
) -> pd.DataFrame:
    """Return where the breakpoints of organisms and drugs differ from one version to the next.

    Columns: organism, drug, method, version, s_before, r_before, s_after, r_after; a number is
    missing where a version has none. As used for what is not from urine.
    """
    cells = sorted({(organism, drug, False) for organism, drug in pairs})
    found = []
    for method in ("MIC", "DISK"):
        by_version = [
            find_limits(cells, choose_version(breakpoints, one), method, catalogue)
            for one in versions
        ]
        for place in cells:
            for at in range(1, len(versions)):
                none = (np.nan, np.nan)
                before, after = (by_version[i].get(place, none) for i in (at - 1, at))
                if not np.array_equal(before, after, equal_nan=True):
                    found.append((*place[:2], method, versions[at], *before, *after))
    columns = ["organism", "drug", "method", "version"]
    numbers = ["s_before", "r_before", "s_after", "r_after"]
    return pd.DataFrame(found, columns=[*columns, *numbers])


def _is_no_number(text: str) -> bool:
    if text in ("", "NA"):
        return False
    try:
        float(text)
    except ValueError:
        return True
    return False
