# Every target makes .venv when it is missing. PYTHON picks the interpreter (3.11 or newer).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := runs/demo
ROOMS := $(wildcard study simulators analysis apps clickstudy)
TESTS = $(sort $(dir $(shell find tests -name '*.py')))

.PHONY: help setup demo study test lint docs examples canvas canvas-test clean

help:
	@echo "make demo    the whole study with 16 simulated participants, and its report"
	@echo "make study   the study in the browser, on drawn scenes"
	@echo "make test    lint, types, import contract and tests, of the canvas too"
	@echo "make lint    lint, types and import contract only"
	@echo "make docs    the documentation as a site, in site/"
	@echo "make setup   install into $(VENV)"

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "clickstudy needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	@echo "Installing clickstudy into $(VENV) (a few minutes, mostly PyTorch)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[all]"
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/bin/python
	@echo "Installing clickstudy and its development tools into $(VENV) (a few minutes)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	@touch $@ $(VENV)/.installed

setup: $(VENV)/.installed

demo: $(VENV)/.installed
	$(BIN)/clickstudy simulate apps/examples/demo.toml --participants 16 --out $(RUN)
	$(BIN)/clickstudy export $(RUN) --out $(RUN)/tables
	$(BIN)/clickstudy report $(RUN) --out $(RUN)/report

study: $(VENV)/.installed
	$(BIN)/clickstudy serve apps/examples/demo.toml --out runs/study

# The canvas is JavaScript: its linter, type checker and tests come from npm, where there is one.
NPM := $(shell command -v npm 2>/dev/null)

node_modules/.installed: package.json
	$(if $(NPM),npm install --no-audit --no-fund --no-package-lock --silent,@mkdir -p node_modules)
	@touch $@

canvas: node_modules/.installed
	$(if $(NPM),npm run --silent lint,@echo "npm is not installed: the canvas is not linted")

canvas-test: node_modules/.installed
	$(if $(NPM),npm run --silent test,@echo "npm is not installed: the canvas's own tests are skipped")

# Warnings are errors: a link that leads nowhere, a page that is on no list.
docs: $(VENV)/.installed-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs --quiet build --strict

lint: $(VENV)/.installed-dev canvas docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/deptry $(TESTS) --exclude '^$$' --ignore DEP002,DEP004  # dev dependencies are theirs

examples: $(VENV)/.installed-dev
	$(BIN)/python -m pytest --doctest-modules $(ROOMS) --ignore apps/web/pages.py  # Streamlit's

# Types take one core for a minute: the docstrings' examples run beside them.
lint examples test: export OMP_NUM_THREADS ?= 1
test: $(VENV)/.installed-dev node_modules/.installed
	$(MAKE) --jobs 2 --output-sync=target lint examples canvas-test
	$(BIN)/python -m pytest -n 2 --dist loadgroup --instafail  # a failure is said when it happens

clean:
	rm -rf $(VENV) node_modules build *.egg-info
