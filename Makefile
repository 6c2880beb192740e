# Two commands are all the set-up:
#
#   make run    install what running needs, then extract from a bundled document
#   make test   install what development needs, then check everything
#
# PYTHON chooses the interpreter of a new environment, VENV its place: make test PYTHON=python3.12

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DOCUMENT ?= docs/examples/dracula.txt
LABELS ?= person,location,date

.DEFAULT_GOAL := help
.PHONY: help run test lint format typecheck layers unit clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

run: $(VENV)/.for-run  ## extract entities from a bundled document
	$(BIN)/python -m spanwise extract $(DOCUMENT) --labels $(LABELS)

test: lint typecheck layers unit  ## everything that must hold

lint: $(VENV)/.for-test  ## style and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

typecheck: $(VENV)/.for-test  ## types
	$(BIN)/mypy

layers: $(VENV)/.for-test  ## imports point one way
	$(BIN)/lint-imports

unit: $(VENV)/.for-test  ## tests; choose with ARGS="tests/flow -k overlap"
	$(BIN)/pytest $(ARGS)

format: $(VENV)/.for-test  ## repair what can be repaired
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:  ## remove the environment and all caches
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The stamps make a second run instant; a changed pyproject.toml installs again.
$(BIN)/python:
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 10), "spanwise needs Python 3.10 or newer; choose one: make PYTHON=python3.11"'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.for-run: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.'
	@touch $@

$(VENV)/.for-test: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.for-run
