# Worldline. Needs Python 3.11 or newer (with its venv module) and make; `make` lists what it can do.

SHELL := /bin/sh
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
STAMP := $(VENV)/.installed
FOOTAGE := .cache/footage

.PHONY: help
help: ## List the targets
	@echo "Usage: make TARGET"
	@echo
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: setup data ## Run the whole chain on real footage; prints where the report is
	$(BIN)/worldline demo

.PHONY: test
test: setup ## Run the tests, a file at a time on each core
	$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder

.PHONY: lint
lint: setup ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: setup ## Check the types
	$(BIN)/pyright

.PHONY: layers
layers: setup ## Check that rooms import only rooms above them
	$(BIN)/lint-imports

.PHONY: check
check: lint types layers test ## All checks: lint, types, layers, test

.PHONY: setup
setup: $(STAMP) ## Make .venv and install the project with its tools (once)

$(STAMP): pyproject.toml constraints.txt
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(PIP) install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

.PHONY: data
data: setup ## Fetch the demo's footage into .cache (once)
	@$(BIN)/python tools/fetch_footage.py $(FOOTAGE)

.PHONY: clean
clean: ## Remove .venv, caches and outputs
	rm -rf $(VENV) .cache out build dist .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
