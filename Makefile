# What each target needs it installs by itself; nothing is done twice.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# The interpreter that .venv is made with: `make PYTHON=/path/to/python3` names another.
PYTHON ?=

.DEFAULT_GOAL := help
.PHONY: help install demo test lint format types bench translations requirements screenshots

help:  ## list these targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /@/' | awk -F@ '{printf "  make %-14s %s\n", $$1, $$2}'

demo: $(INSTALLED)  ## serve the sample shop on this machine, with one user per role
	@exec $(BIN)/python manage.py demo $(ARGS)

test: $(INSTALLED)  ## run the tests, two files at a time; ARGS="-k word" narrows them
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(ARGS)

lint: $(INSTALLED)  ## check style, formatting and the directions between the rooms
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo

format: $(INSTALLED)  ## format the code and mend what can be mended
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

types: $(INSTALLED)  ## check the types
	$(BIN)/mypy .

bench: $(INSTALLED)  ## measure the speed of imports, exports and pages
	$(BIN)/python -m tests.bench $(ARGS)

translations: $(INSTALLED)  ## bring the translations up to date with the code; ARGS=--check only looks
	$(BIN)/python -m tests.languages $(ARGS)

screenshots: $(INSTALLED)  ## take the pictures of docs/screenshots anew, with Chromium
	$(BIN)/python -W ignore -m tests.screenshots $(ARGS)

install: $(INSTALLED)  ## install everything into .venv

# The stamp is made last, so an installation that was interrupted is taken up again.
$(INSTALLED): requirements/development.txt
	@set -e; \
	for python in $(PYTHON) $(if $(PYTHON),,python3 python3.14 python3.13 python3.12); do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo 'Stockbook needs Python 3.12 or later. Install it, or name it: make PYTHON=/path/to/python3' >&2; exit 1; \
	fi; \
	echo "Installing into $(VENV) (once; about a minute) ..."; \
	$$found -m venv $(VENV) || { echo 'Could not make $(VENV). On Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<; \
	touch $@

$(BIN)/uv: | $(INSTALLED)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header

requirements: $(BIN)/uv  ## compile requirements/*.txt from pyproject.toml; ARGS=--upgrade renews
	$(COMPILE) $(ARGS) -o requirements/base.txt pyproject.toml
	$(COMPILE) $(ARGS) --group dev -o requirements/development.txt pyproject.toml
