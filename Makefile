# Verbs of this project. `make` alone lists them.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt
JOBS ?= 2
# Left out of `make test-optimized`, in which they would take the most time: real jobs, kills, training, property tests.
LONG := benchmarks crash slurm trainer providers/local e2e/test_*.py compile/test_snapshots.py state/test_every_write.py
# Left out too: tests of packages without any assertion, and of what is no package of expiac.
WITHOUT_ASSERTIONS := analysis compile report review view docs tracking
export SKYPILOT_DISABLE_USAGE_COLLECTION = 1

.DEFAULT_GOAL := help
.PHONY: help quickstart shell test test-optimized test-slurm soak-slurm check docs snapshots schema bench soak clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

quickstart: $(VENV)/.quickstart ## set up, then plan, launch and train a first experiment here
	$(BIN)/expiac apply arena --yes --wait

shell: $(VENV)/.quickstart ## a shell that finds `expiac`
	@echo "expiac is on the path of this shell; leave it with exit" && . $(BIN)/activate && exec "$${SHELL:-/bin/sh}"

test: $(VENV)/.dev check ## set up, then run the checks and the whole test suite
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

test-optimized: $(VENV)/.dev ## the fast tests under python -O, where assertions of expiac are not run
	PYTHONOPTIMIZE=1 $(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not slow and not soak" \
	  $(patsubst %,--ignore-glob='tests/%',$(LONG) $(WITHOUT_ASSERTIONS)) -W "ignore:assertions not in test modules"

test-slurm: $(VENV)/.dev ## the tests on a real SkyPilot and a Slurm cluster of our own; skipped where it can't stand
	$(BIN)/python -m tests.slurm

soak-slurm: $(VENV)/.dev ## the long tests on that cluster
	$(BIN)/python -m tests.slurm -m "slurm and soak and not restart" -n 0 --timeout 3600
	$(BIN)/python -m tests.slurm -m "slurm and restart" -n 0 --timeout 3600

check: $(VENV)/.dev ## style, types and layers
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

docs: $(VENV)/.docs ## build the documentation as a site, in build/docs/site; warnings are errors
	$(BIN)/python -m docs.site

snapshots: $(VENV)/.dev ## render the snapshots anew; read the diff before you commit it
	$(BIN)/python -m pytest -n $(JOBS) --snapshot-update

schema: $(VENV)/.dev ## write the JSON Schema of what --json prints, from its types
	$(BIN)/python -m expiac.view.schema

bench: $(VENV)/.dev ## measure; writes benchmarks/results.json
	$(BIN)/python -m benchmarks

soak: $(VENV)/.dev ## the long tests
	$(BIN)/python -m pytest -m "soak and not slurm" -n $(JOBS) --timeout 3600 -rP

clean: ## remove what the other verbs made, the state of the stacks excepted
	rm -rf $(VENV) build/docs .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "expiac needs Python 3.11 or 3.12: none was found (set PYTHON=/path/to/python3.11)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' || \
	  { echo "expiac needs Python 3.11 or 3.12: $(PYTHON) is $$($(PYTHON) -V 2>&1) (set PYTHON=/path/to/python3.11)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "$(PYTHON) has no venv module: install it (Debian, Ubuntu: apt install python3-venv)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.quickstart: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e '.[trainer,wandb]'
	@touch $@

$(VENV)/.docs: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e '.[docs]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e '.[trainer,wandb,skypilot,shared,dev]'
	@touch $@ $(VENV)/.quickstart $(VENV)/.docs
