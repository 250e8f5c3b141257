# Everything that a newcomer, and CI, needs: each target sets up what it uses.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The peers bring pytest plugins and much else: they have an environment of their own.
BENCH_VENV := .venv-bench
BENCH_BIN := $(BENCH_VENV)/bin
BENCH_READY := $(BENCH_VENV)/.ready
PEERS_TRIED := $(BENCH_VENV)/.peers
# What makes the site: an environment of its own, so that the tests need none of it.
DOCS_VENV := .venv-docs
DOCS_BIN := $(DOCS_VENV)/bin
DOCS_READY := $(DOCS_VENV)/.ready
SITE := build/site
# For example: make bench BENCH_OPTIONS='--quick save-2kb start-up'
BENCH_OPTIONS ?=

.PHONY: help demo test check bench docs screens test-deep soak seeded-defects pictures clean
.DEFAULT_GOAL := help

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## a real run, killed with SIGKILL and carried on; proves the result
	@echo "== demo: analyse the standard library, kill the run, carry it on, compare"
	$(BIN)/holdfast demo

test: check ## lint, types and all tests
	@echo "== tests"
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: $(READY) ## lint and types alone
	@echo "== format and lint (ruff)"
	$(BIN)/ruff format --check src migrations tests examples docs/conf.py
	$(BIN)/ruff check src migrations tests examples docs/conf.py
	@echo "== types (mypy, strict)"
	$(BIN)/mypy

test-deep: $(READY) ## the long forms: hundreds of kills, thousands of cases, some 20 minutes
	@echo "== the long forms of the tests; some 20 minutes on a calm machine with 2 cores"
	$(BIN)/python -m pytest -m deep

soak: $(READY) ## writers, killers, supervisors and purgers on one store; an hour
	@echo "== the soak: $${HOLDFAST_SOAK_MINUTES:-60} minutes (HOLDFAST_SOAK_MINUTES), half on each store"
	$(BIN)/python -m pytest -m soak -s

seeded-defects: $(READY) ## does the suite bite? defects put in one at a time; some 10 minutes
	@echo "== each defect is put into a copy of the source, and must turn its tests red"
	$(BIN)/python -m tests.seeded_defects

bench: $(BENCH_READY) $(PEERS_TRIED) ## time the hot paths, and hold every goal against what is measured
	@echo "== the hot paths (pytest-benchmark)"
	$(BENCH_BIN)/python -m pytest tests/benchmarks --benchmark-enable --benchmark-only \
		--benchmark-max-time=0.5 --benchmark-autosave --benchmark-storage=.benchmarks/history
	@echo "== the table of goals"
	$(BENCH_BIN)/python -m tests.benchmarks $(BENCH_OPTIONS)

pictures: $(READY) ## make the screens and pictures of the documentation anew
	@echo "== pictures: docs/screens.md and docs/images"
	$(BIN)/python -m tests.pictures

docs: $(DOCS_READY) ## the docs as a site, in build/site; a link that leads nowhere is an error
	@echo "== the site (sphinx)"
	$(DOCS_BIN)/python -m sphinx -q -W --keep-going -E -b html docs $(SITE)
	@echo "== $(SITE)/index.html"

screens: $(READY) ## write the screens in the docs anew, from what the commands print
	$(BIN)/python -m tests.architecture

clean: ## remove what the other targets made
	rm -rf $(VENV) $(BENCH_VENV) $(DOCS_VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks

$(READY): pyproject.toml constraints.txt
	@echo "== setting up $(VENV)"
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Holdfast needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)

$(BENCH_READY): pyproject.toml constraints.txt
	@echo "== setting up $(BENCH_VENV)"
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@rm -f $(PEERS_TRIED)
	@touch $(BENCH_READY)

$(DOCS_READY): pyproject.toml constraints.txt
	@echo "== setting up $(DOCS_VENV)"
	$(PYTHON) -m venv $(DOCS_VENV)
	$(DOCS_BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $(DOCS_READY)

# Without them the table is whole all the same: it says which peer is not installed.
$(PEERS_TRIED): $(BENCH_READY)
	@echo "== installing the peers, to compare with"
	@if $(BENCH_BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt \
		-e '.[bench-peers]'; then touch $(PEERS_TRIED); \
	else echo "== the peers could not be installed; going on without them"; fi
