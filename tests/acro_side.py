"""Cross-tabulate with the package acro: run by a Python that has it, not by the project's own.

Reads JSON from standard input: {"least": 11, "jobs": [[["row", "column", count], …], …]}; writes
for each job what ACRO shows with `suppress=True` and margins: [["row", "column", value], …], null
where it is suppressed, and null for a job that made it raise an error.
"""

import contextlib
import json
import logging
import os
import sys
import tempfile
import warnings


def main() -> None:
    asked = json.load(sys.stdin)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    os.chdir(tempfile.mkdtemp())
    with contextlib.redirect_stdout(sys.stderr):
        import pandas
        from acro import ACRO

        session = ACRO(suppress=True)
        session.config["safe_threshold"] = asked["least"]
        answers = [cross(session, pandas, job) for job in asked["jobs"]]
    json.dump(answers, sys.stdout)


def cross(session, pandas, job):
    persons = [(row, column) for row, column, count in job for _ in range(count)]
    people = pandas.DataFrame(persons, columns=["row", "column"])
    try:
        shown = session.crosstab(people["row"], people["column"], margins=True)
    except Exception:  # it raises where a whole line is suppressed
        return None
    return [
        [str(row), str(column), None if pandas.isna(value) else float(value)]
        for row, line in shown.iterrows()
        for column, value in line.items()
    ]


if __name__ == "__main__":
    main()
