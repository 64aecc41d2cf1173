"""A report of tables, as an HTML page of its own or as CSV that no spreadsheet executes."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from html import escape

from wardbook.messages import Language, say

Row = tuple[str, ...]

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem;
       color: #1b1b1b; background: #fff }
h1 { font-size: 1.6rem } h2 { font-size: 1.15rem; margin-top: 2rem }
div { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .35rem .9rem .35rem 0; border-bottom: 1px solid #d7d7d7;
         vertical-align: top } th { font-weight: 600 }
td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Section:
    """One table: its title and its columns in words, its rows as text."""

    title: str
    columns: Row
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Sheet:
    """A report."""

    language: Language
    title: str
    intro: str
    sections: tuple[Section, ...]

    def to_html(self) -> str:
        """Return the page: no script, nothing from elsewhere; every value is text."""
        body = "\n".join(self._section_html(section) for section in self.sections)
        return (
            f'<!doctype html>\n<html lang="{self.language}">\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{escape(self.title)}</title>\n<style>{_STYLE}</style>\n"
            f"<h1>{escape(self.title)}</h1>\n<p>{escape(self.intro)}</p>\n{body}\n</html>\n"
        )

    def _section_html(self, section: Section) -> str:
        title = f"<h2>{escape(section.title)}</h2>"
        if not section.rows:
            return f"{title}\n<p>{escape(say(self.language, 'audit.none'))}</p>"
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in section.columns)
        rows = "\n".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
            for row in section.rows
        )
        return f"{title}\n<div><table>\n<tr>{head}</tr>\n{rows}\n</table></div>"

    def to_csv(self) -> str:
        """Return one line per row, its section first."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        for section in self.sections:
            writer.writerow(map(defuse, (section.title, *section.columns)))
            writer.writerows([defuse(section.title), *map(defuse, row)] for row in section.rows)
        return text.getvalue()


def defuse(cell: str) -> str:
    """Return a cell that a spreadsheet shows and does not compute: with an apostrophe before."""
    first = cell.lstrip(" \t\r\n\u00a0\u200b\ufeff")[:1]
    return f"'{cell}" if first and first in "=+-@|%" else cell
