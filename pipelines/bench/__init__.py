"""The analyst's bench: a request in JupyterLab, with the data, engine and checks of production.

`desk.py` says what the bench is. `handlers.py` is what the panel in JupyterLab asks, with a module
each for what it does: `workspace.py` (git), `session.py` (what kernels are given), `trial.py` (run
as production), `leaving.py`, `preview.py`, `compare.py`, `submit.py`, `card.py`, `launcher.py`.
`launch.py` starts the server. The panel itself is TypeScript, in `lab/`.
"""
