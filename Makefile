# What each target needs it installs by itself; nothing is done twice.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
export DJANGO_SETTINGS_MODULE ?=

.DEFAULT_GOAL := help
.PHONY: help install demo serve test lint format types bench requirements

help:  ## list these targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

$(INSTALLED): requirements/development.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 12) and "Stockbook needs Python 3.12 or later; this is %s. Name another with make PYTHON=python3.13" % sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

install: $(INSTALLED)  ## install into .venv
