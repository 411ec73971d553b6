# Two commands do everything from a bare clone with Python >= 3.11, pip and make: `make demo` and `make test`.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
JOBS   ?= 2
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt

.PHONY: demo test lint types contracts benchmarks baselines studies timing-report stats-report check clean

# The main job on the embedded suite: ten models measured, a leaderboard printed, a CSV written.
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

# Trains the shipped baselines and measures them (about three hours on two cores; DEVICE=cuda is faster). The models of
# a suite share their encoders, which are trained once.
DEVICE ?= auto
SUITES_WITH_BASELINES := seg cls-it cls-av cls-iat refseg vqa vqa-av cls-vqa caption det
seg_flags     := --width 8 --encoder-steps 2500 --steps 1000
seg_models    := concat feat_linear model_linear feat_nonlinear product gmu film conv only:rgb only:depth
cls-it_flags  := --width 16
cls-it_models := concat feat_linear model_linear product gmu film low_rank_tensor cross_attention only:image only:text
cls-av_flags  := --width 16
cls-av_models := concat model_linear gmu
cls-iat_flags  := --width 16
cls-iat_models := concat product
refseg_flags  := --width 24
refseg_models := concat film cross_attention
vqa_flags     := --width 24
vqa_models    := concat film cross_attention
vqa-av_flags  := --width 24
vqa-av_models := concat film
cls-vqa_flags  := --width 24
cls-vqa_models := concat film cross_attention
caption_flags := --width 48 --encoder-steps 8000
caption_models := concat feat_linear cross_attention
det_flags     := --width 24
det_models    := concat feat_linear conv

# Suite, fusion.
define train
	$(BIN)/mmbench train --suite $(1) --fusion $(2) $($(1)_flags) --threads 1 --device $(DEVICE) --share-encoders \
		--card "$(2)" -o baselines/$(1)/$(subst :,-,$(2))/weights.safetensors

endef
define measure
	$(BIN)/mmbench run --suite $(1) --model 'baseline:*' --threads 1 --device $(DEVICE) -o results/baselines

endef

baselines: $(VENV)/.installed
	rm -rf results/baselines
	$(foreach suite,$(SUITES_WITH_BASELINES),$(foreach model,$($(suite)_models),$(call train,$(suite),$(model))))
	$(foreach suite,$(SUITES_WITH_BASELINES),$(call measure,$(suite)))
	rm -rf results/reference/[0-9]*Z-* results/baselines/*/journal.sqlite
	mkdir -p results/reference
	mv results/baselines/* results/reference/

# The studies in results/reference/studies and the README (about four hours on one core); stopped, they go on.
STUDY := $(BIN)/mmbench study --seeds 5 --width 16 --threads 1 --figures svg
CLS   := --fusion all --steps 500
SEG   := --fusion all --stride 4 --batch-size 8
studies: $(VENV)/.installed
	$(STUDY) --suite 'cls-it[regime=M16]' $(CLS) --seeds 10 --labels 10,25,100 -o results/studies/cls-it-M16
	$(STUDY) --suite 'cls-it[regime=S4]' --suite 'cls-it[regime=E]' --suite 'cls-it[regime=H]' $(CLS) \
		-o results/studies/cls-it-S4-E-H
	$(STUDY) --suite 'cls-it[regime=M16]' --fusion concat,bilinear,film,gmu --track finetune --stride 8 --steps 500 \
		-o results/studies/cls-it-M16-finetune
	$(STUDY) --suite 'seg[regime=M16]' $(SEG) --steps 400 -o results/studies/seg-M16
	$(STUDY) --suite 'seg[regime=H]' $(SEG) --steps 1000 --encoder-steps 5000 -o results/studies/seg-H
	$(STUDY) --suite 'seg[regime=E]' $(SEG) --steps 300 -o results/studies/seg-E
	$(STUDY) --suite 'seg[regime=S4]' $(SEG) --steps 300 -o results/studies/seg-S4
	for study in results/studies/*; do \
		mkdir -p results/reference/studies/$$(basename $$study); \
		cp $$study/*.csv $$study/study.md $$study/*.svg results/reference/studies/$$(basename $$study)/; done

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
