# Everything a developer does here. `demo` and `test` set up what they need by themselves.

VENV := .venv
PYTHON := $(VENV)/bin/python
NPM := npm
READY := $(VENV)/.ready
PANEL := labextension/wardbook-bench/package.json

# Timings are of compiled bytecode, as in production.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo panel test check fix bench attacks truth fuzz crash crash-sync docs pictures lock clean
.DEFAULT_GOAL := help

help:  ## say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# The lock file holds exact versions with hashes; nothing else gets in.
$(READY): requirements.lock pyproject.toml
	@command -v python3.11 >/dev/null || { echo "Python 3.11 is missing: apt-get install python3.11 python3.11-venv"; exit 1; }
	@python3.11 -c "import ensurepip" 2>/dev/null \
	    || { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq -o DPkg::Lock::Timeout=300 python3.11-venv; } \
	    || { echo "Python's venv is missing: apt-get install python3.11-venv"; exit 1; }
	python3.11 -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements.lock
	@$(PYTHON) -m compileall -q -j 0 -x "/(tests?|altair|pip|plotly)/" $(VENV)/lib >/dev/null 2>&1 || true  # some packages ship templates of code
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(PYTHON) -m pip check --disable-pip-version-check  # nothing is missing from the lock
	@touch $(READY)

demo: $(READY)  ## file seven tickets and see each become a deliverable
	@$(VENV)/bin/wardbook demo

panel: $(PANEL)  ## build the bench's panel for JupyterLab; needs node 18 and npm

# Anew only when something of it changed.
$(PANEL): lab/node_modules/.package-lock.json lab/build.mjs lab/tsconfig.json $(shell find lab/src lab/style -type f)
	$(NPM) --prefix lab run --silent build

lab/node_modules/.package-lock.json: lab/package.json lab/package-lock.json
	$(NPM) --prefix lab ci --loglevel=error --ignore-scripts

test: $(READY)  ## run all tests; installs Debian packages where it may
	@sh tests/install-system-packages.sh
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory panel; fi
	$(PYTHON) -m pytest -n 5 --dist loadgroup --no-loadscope-reorder --durations 15 --durations-min 10

check: $(READY)  ## lint and type-check; changes nothing
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

fix: $(READY)  ## format, and mend what can be mended
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

bench: $(READY) panel  ## measure, as ratios within one run
	$(PYTHON) -m tests.bench
	$(PYTHON) -m tests.bench_engine
	$(PYTHON) -m tests.bench_decide
	$(PYTHON) -m tests.bench_sync
	$(PYTHON) -m tests.bench_checks
	$(PYTHON) -m tests.bench_artefacts
	$(PYTHON) -m tests.bench_identifiers
	$(PYTHON) -m tests.bench_seal
	$(PYTHON) -m tests.bench_reports
	$(PYTHON) -m tests.bench_site
	$(PYTHON) -m tests.bench_indicators
	$(PYTHON) -m tests.bench_panel
	$(PYTHON) -m tests.bench_lab

attacks: $(READY)  ## the large forms of what an attacker would try; takes ten minutes
	$(PYTHON) -m tests.disclosure_sets
	$(PYTHON) -m tests.identifier_corpus
	$(PYTHON) -m tests.key_attacks
	$(PYTHON) -m tests.tamperings
	$(PYTHON) -m tests.audit_tampering --places 200
	$(PYTHON) -m tests.hostile
	$(PYTHON) -m tests.planted_notebooks --notebooks 500
	$(PYTHON) -m tests.cut_submits

truth: $(READY)  ## look for every planted effect in 100 hospitals; takes an hour
	$(PYTHON) -m tests.planted_effects --seeds 100 --further 300 --processes 2

fuzz: $(READY)  ## convert hostile texts for five minutes, both ways
	$(PYTHON) -m tests.fuzz_markup --seconds 300

crash: $(READY)  ## the long form of the crash tests; takes hours
	WARDBOOK_CRASH=long $(PYTHON) -m pytest -n 2 -rP --timeout 14400 tests/acceptance/crash_demo.py tests/acceptance/test_kill_*.py tests/acceptance/test_sync_points.py tests/property/test_story_faults.py tests/property/test_sync_machine.py tests/integration/test_fork_server.py tests/integration/test_slurm_runs.py tests/unit/test_artefacts_hostile.py tests/integration/test_same_outputs.py tests/integration/test_sync_texts.py tests/integration/test_same_on_every_engine.py tests/acceptance/test_payloads_in_browser.py tests/acceptance/test_bad_files.py tests/acceptance/test_planted_effects.py tests/acceptance/test_gitlab_ci.py

crash-sync: $(READY)  ## crash points and 2,000 schedules of the synchronisation; takes half an hour
	$(PYTHON) -m tests.sync_crash --schedules 2000 --seed 1

docs: $(READY)  ## draw the generated pages of docs/ anew
	$(PYTHON) docs/generate.py

pictures: $(READY) panel  ## play the demonstration and photograph it for docs/; needs Chromium
	WARDBOOK_PICTURES=docs/pictures $(PYTHON) -m pytest -q tests/acceptance/test_demo.py tests/acceptance/test_bench_in_browser.py -k "pictures or merge_request"

lock: $(READY)  ## choose versions anew
	$(VENV)/bin/uv pip compile --quiet --generate-hashes --extra dev --python-version 3.11 --no-header --no-emit-index-url --no-emit-find-links --upgrade --output-file requirements.lock pyproject.toml

clean:  ## remove what was made
	rm -rf $(VENV) demo labextension lab/lib lab/node_modules .pytest_cache .mypy_cache .ruff_cache
