# `make book` builds the book, `make test` runs the tests; each sets up what it needs.
PYTHON ?= python3
LEVEL  ?= quick
JOBS   ?= 2
BIN    := .venv/bin
LEDGER := book/_data/ledger.json
BENCH  := book/_data/bench.json
MUTANTS := book/_data/mutants.json

.PHONY: help setup book pdf test test-slow test-book lint types check mutants bench lab lock clean

help:            ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: .venv/.installed ## create .venv with the locked versions of everything

.venv/.installed: pyproject.toml requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[book,test,torch,jax,bench,dask]'
	@touch $@

# What the ledger or an interrupted run says is not executed again, unless a file that it depends on has changed.
check: setup     ## execute what the ledger lacks of the checks, and write it (LEVEL=quick|full)
	$(BIN)/subquartic check --level $(LEVEL) --jobs $(JOBS) --ledger $(LEDGER) --resume

mutants: check   ## break the constructions, see that the checks notice, and write it down for the book
	$(BIN)/subquartic mutants $(if $(filter full,$(LEVEL)),,--each 2) --ledger $(LEDGER) --jobs $(JOBS) --record $(MUTANTS) --resume

bench: setup     ## measure speed side by side and write the results for the book (LEVEL=quick|full)
	@mkdir -p $(dir $(BENCH))
	$(BIN)/subquartic bench --size $(LEVEL) --json $(BENCH) --force

# Only where there are no measurements yet, or fewer suites: they take a minute. After the checks, so that nothing runs beside them.
$(BENCH): checks/performance/registry.py | setup mutants
	$(BIN)/subquartic bench --size $(LEVEL) --json $@ --force > /dev/null

book: mutants $(BENCH) ## build the book into book/_build/html (LEVEL=quick|full)
	BOOK_JOBS=$(JOBS) $(BIN)/jupyter-book build book --warningiserror --keep-going --quiet
	@echo "The book is at book/_build/html/index.html"

pdf: setup       ## print the built book into book/_build/subquartic.pdf (needs chromium; run `make book` first)
	$(BIN)/python book/_ext/print_book.py book/_build/html book/_build/subquartic.pdf

test: setup      ## run the default tests
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not slow and not book"

test-slow: .venv/.lab ## run the long tests
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "slow and not book"

test-book: setup ## drive the built book in a real browser (needs chromium; run `make book` first)
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m book

lint: setup      ## check style, and that imports go one way through the layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache --no-logo

types: setup     ## check types
	$(BIN)/mypy

lab: .venv/.lab  ## open the pages as notebooks in JupyterLab
	cd book && ../$(BIN)/jupyter lab

# JupyterLab, in which a page opens as a notebook: pages are Markdown, which it would show as text.
.venv/.lab: .venv/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock jupyterlab
	$(BIN)/jupytext-config --settings-file .venv/etc/jupyter/labconfig/default_setting_overrides.json set-default-viewer markdown myst
	@touch $@

lock:            ## write requirements.lock anew from the newest versions that pyproject.toml allows
	rm -rf .venv
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[book,test,torch,jax,bench,dask]' jupyterlab
	$(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu$$//' > requirements.lock
	@touch .venv/.installed

clean:           ## remove what was built
	rm -rf book/_build book/_data/ledger.json* book/_data/bench.json book/_data/mutants.json .jupyter_cache
