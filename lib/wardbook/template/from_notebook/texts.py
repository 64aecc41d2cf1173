"""The texts of a template that is begun: its report's, and how TOML writes them."""

from __future__ import annotations

import json
import re

from wardbook.template.from_notebook.draft import Exploration
from wardbook.template.from_notebook.names import in_words

_FRENCH = frozenset({
    "le", "la", "les", "des", "du", "de", "et", "est", "une", "par", "pour", "dans", "sur", "au",
    "aux", "ce", "cette", "qui", "que",
})  # fmt: skip
_ENGLISH = frozenset({
    "the", "of", "and", "is", "a", "by", "for", "in", "on", "to", "this", "that", "which", "with",
    "are",
})  # fmt: skip
_TODO = {"fr": "TODO à traduire", "en": "TODO translate"}


class Texts:
    """The report's texts: of the Markdown cells, the outputs, the methods and the limits."""

    def __init__(self, exploration: Exploration) -> None:
        markdown = [cell for cell in exploration.cells if not cell.is_code and not cell.is_raw]
        said = " ".join(cell.text for cell in markdown)
        self.language = _language_of(said)
        self.title = in_words(exploration.name)
        self.keys: dict[int, str] = {}
        self.pairs: dict[str, tuple[str, str]] = {}
        for cell in markdown:
            text = cell.text.strip()
            heading = re.match(r"#\s+(.+)\n*", text)
            if heading and not self.keys and self.title == in_words(exploration.name):
                self.title = heading[1].strip()
                text = text[heading.end() :].strip()
            if text:
                key = f"text_{len(self.keys) + 1}"
                self.keys[cell.number] = key
                self.pairs[key] = self.in_both(braced(text))
        for output in exploration.outputs:
            self.pairs[f"caption_{output.name}"] = self.in_both(braced(output.title))
            if output.kind == "figure":
                self.pairs[f"alternative_{output.name}"] = (
                    "TODO dire ce que la figure montre, pour qui ne la voit pas.",
                    "TODO say what the figure shows, for readers who do not see it.",
                )
        self.pairs["methods"] = (
            "## Méthode\n\n- TODO dire comment on a compté.",
            "## Method\n\n- TODO say how it was counted.",
        )
        self.pairs["limits"] = (
            "## Limites\n\n- TODO dire ce que ces chiffres ne disent pas.",
            "## Limits\n\n- TODO say what these figures do not tell.",
        )

    def in_both(self, text: str) -> tuple[str, str]:
        """Return a text in French and English, the one that is missing with its mark."""
        if self.language == "fr":
            return space(text), f"{_TODO['en']}: {text}"
        return space(f"{_TODO['fr']} : {text}"), text

    def as_toml(self) -> str:
        """Return the file of texts."""
        lines = ["# What the report says; lines marked TODO wait for a person.", ""]
        for at, language in enumerate(("fr", "en")):
            lines += [f"[{language}]"]
            lines += [f"{key} = {quote(pair[at])}" for key, pair in self.pairs.items()]
            lines += [""]
        return "\n".join(lines)


def _language_of(text: str) -> str:
    words = re.findall(r"[a-zà-ÿ]+", text.lower())
    french = sum(word in _FRENCH for word in words)
    return "fr" if french > sum(word in _ENGLISH for word in words) else "en"


def space(text: str) -> str:
    """Put no-break spaces where a French line could break before a sign."""
    return re.sub(r" ([;:?!»])", "\u00a0\\1", text).replace("« ", "«\u00a0")


def braced(text: str) -> str:
    """Return a text in which braces are no places."""
    return text.replace("{", "{{").replace("}", "}}")


def both(text: str) -> str:
    """Return a text as both languages, for TOML; French gets its spaces."""
    return f"{{ fr = {quote(space(text))}, en = {quote(text)} }}"


def quote(text: str) -> str:
    """Return a text as TOML writes it."""
    if "\n" in text and "'''" not in text:
        escaped = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
        ending = "\\" if escaped.endswith('"') else ""
        return f'"""\n{escaped}{ending}"""' if not ending else json.dumps(text, ensure_ascii=False)
    return json.dumps(text, ensure_ascii=False)


def key(name: str) -> str:
    """Return a key as TOML writes it."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else quote(name)
