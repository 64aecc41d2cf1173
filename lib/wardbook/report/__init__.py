"""Reports: an executed notebook becomes a folder that a reader opens in a browser.

`render.render_report` does it. Nothing of a notebook is published unless it was declared with
`wb.say`, `wb.table` or `wb.figure`; foreign text is text, never markup; no page holds a script.
"""
