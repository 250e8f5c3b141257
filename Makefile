# Everything that a newcomer, and CI, needs: each target sets up what it uses.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test check bench test-deep clean
.DEFAULT_GOAL := help

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## a real run, killed with SIGKILL and carried on; proves the result
	@echo "== demo: analyse the standard library, kill the run, carry it on, compare"
	$(BIN)/holdfast demo

test: check ## lint, types and all tests
	@echo "== tests"
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: $(READY) ## lint and types alone
	@echo "== format and lint (ruff)"
	$(BIN)/ruff format --check src migrations tests examples
	$(BIN)/ruff check src migrations tests examples
	@echo "== types (mypy, strict)"
	$(BIN)/mypy

test-deep: $(READY) ## the long forms of the crash tests: hundreds of kills, some 15 minutes
	$(BIN)/python -m pytest -m deep

bench: $(READY) ## time the hot paths
	$(BIN)/python -m pytest tests/benchmarks --benchmark-enable --benchmark-only

clean: ## remove what the other targets made
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks

$(READY): pyproject.toml constraints.txt
	@echo "== setting up $(VENV)"
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Holdfast needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)
