"""What the documentation is made of: gathered from where it is kept, or drawn from what we know."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from wardbook.messages import Language
from wardbook.report.voice import Voice
from wardbook.shipped import shipped_folder
from wardbook.template.methods import load_methods
from wardbook.template.spec import Template

_SHOWN = {".png", ".json"}
_LINK_OUT = re.compile(r"\[([^\]]*)\]\((\.\./[^)]*)\)")


def gather_sources(
    templates: Mapping[str, Template], language: Language, unit: str
) -> Iterator[tuple[str, bytes]]:
    """Yield every source of the documentation: its place in Sphinx's folder, and its bytes."""
    voice = Voice(language)
    home = shipped_folder("site") / "docs"
    for file in _files(home):
        content = file.read_bytes()
        if file.name == "conf.py":
            content += _configure(voice, unit).encode()
        yield file.relative_to(home).as_posix(), content
    yield "_static/mark.svg", (shipped_folder("site") / "assets" / "mark.svg").read_bytes()
    yield "methods/index.md", _list_methods(templates, voice).encode()
    for name, template in sorted(templates.items()):
        yield f"methods/{name}.md", describe_methods(template, voice).encode()
    for file in sorted(shipped_folder("notebooks").glob("*.md")):
        yield f"teaching/{file.name}", file.read_bytes()
    reference = shipped_folder("docs")
    for file in _files(reference):
        if file.suffix == ".md":
            yield f"reference/{_name(file, reference)}", _free_of_repository(file, reference)
        elif file.suffix in _SHOWN:
            yield f"reference/{_name(file, reference)}", file.read_bytes()


def describe_methods(template: Template, voice: Voice) -> str:
    """Return the page of a template's indicators, as MyST Markdown.

    Raises:
        TemplateProblem: its `methods.toml` does not hold to the schema.
    """
    spec, language = template.spec, voice.language
    lines = [f"# {spec.title.in_language(language)}", "", spec.question.in_language(language), ""]
    for method in load_methods(template).values():
        lines += [f"## {method.name.in_language(language)}", ""]
        lines += [method.definition.in_language(language), ""]
        lines += [voice.say("site.method_formula"), "", "```text", method.formula, "```", ""]
        lines += [voice.say("site.method_source", source=method.source.in_language(language)), ""]
        lines += [voice.say("site.method_limits"), ""]
        lines += [f"- {limit.in_language(language)}" for limit in method.limits]
        if method.columns:
            columns = ", ".join(f"`{column}`" for column in method.columns)
            lines += ["", voice.say("site.method_columns", columns=columns)]
        lines.append("")
    if not load_methods(template):
        lines.append(voice.say("site.no_methods"))
    return "\n".join(lines) + "\n"


def _list_methods(templates: Mapping[str, Template], voice: Voice) -> str:
    lines = [f"# {voice.say('site.methods')}", "", voice.say("site.methods_lead"), ""]
    lines += ["```{toctree}", ":maxdepth: 2", "", *sorted(templates), "```", ""]
    return "\n".join(lines)


def _configure(voice: Voice, unit: str) -> str:
    """Return what Sphinx is told of this unit, as lines of its configuration."""
    names = ("home", "results", "catalogue", "search")
    places = [
        (voice.say(f"site.nav_{name}"), "index.html" if name == "home" else f"{name}/index.html")
        for name in names
    ]
    told = {
        "project": unit,
        "copyright": unit,
        "language": voice.language,
        "html_context": {"wardbook_places": places, "default_mode": "auto"},
    }
    return "\n" + "".join(f"{key} = {value!r}\n" for key, value in told.items())


def _free_of_repository(file: Path, docs: Path) -> bytes:
    """Return a page of `docs` as the site can show it: what points into the repository is text."""

    def free(link: re.Match[str]) -> str:
        target = (file.parent / link[2].partition("#")[0]).resolve()
        return link[0] if target.is_relative_to(docs.resolve()) else link[1]

    text = file.read_text(encoding="utf-8").replace("```mermaid", "```text")
    return _LINK_OUT.sub(free, text).encode()


def _files(folder: Path) -> list[Path]:
    return sorted(
        file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts
    )


def _name(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix()
