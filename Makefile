# Two commands do everything from a bare clone with Python >= 3.11, pip and make: `make demo` and `make test`.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
JOBS   ?= 2
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt

.PHONY: demo test lint types contracts benchmarks baselines timing-report stats-report check clean

# The main job on the embedded suite: five fusion models measured, a leaderboard printed, a CSV written.
demo: $(VENV)/.installed
	$(BIN)/mmbench run --suite seg --model 'baseline:*' -o results/demo
	$(BIN)/mmbench leaderboard results/demo --csv results/demo/leaderboard.csv

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal --benchmark-disable

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

contracts: $(VENV)/.installed-dev
	$(BIN)/lint-imports --no-cache --no-logo

check: lint types contracts test

# Ratios against the peers, in one run; one thread.
benchmarks: $(VENV)/.installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/benchmarks --benchmark-only

# The acceptance of the timing on this machine: verdicts of 180 comparisons with known changes, stages against the whole,
# the overhead; about a quarter of an hour on two quiet cores.
timing-report: $(VENV)/.installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python tests/perf/timing_report.py

# The coverage of every interval method and the error rates of the gate, simulated in full: the tables in docs/.
stats-report: $(VENV)/.installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python tests/stats/coverage_report.py > docs/coverage.md
	OMP_NUM_THREADS=1 $(BIN)/python tests/gate/gate_report.py > docs/gate-simulation.md

# Trains the shipped baselines again, by the commands on their cards (about half an hour on two cores); their records
# in results/reference/ come from the last line.
baselines: $(VENV)/.installed
	set -e; for card in baselines/*/*/model.toml; do \
		PATH="$(abspath $(BIN)):$$PATH" sh -ec "$$(sed -n 's/^command = "\(.*\)"$$/\1/p' $$card)"; done
	rm -rf results/baselines
	$(BIN)/mmbench run --suite seg --model 'baseline:*' --threads 1 -o results/baselines
	rm -rf results/reference results/baselines/*/journal.sqlite
	mv results/baselines results/reference

$(BIN)/python:
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "mmbench needs Python 3.11 or newer; say make PYTHON=python3.11"'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e '.[torch]'
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(INSTALL) -e '.[torch,dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
