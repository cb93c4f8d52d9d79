# `make` alone lists the targets. Everything is set up from nothing but Python (3.11 or newer), pip, venv and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help site serve test lint format docs bench wheel clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

$(VENV)/pyvenv.cfg:
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --constraint constraints.txt pip

.prepared-site: $(VENV)/pyvenv.cfg pyproject.toml constraints.txt
	$(PIP) install --constraint constraints.txt --editable '.[images,minify,compress]'
	@touch $@

.prepared-test: .prepared-site
	$(PIP) install --constraint constraints.txt --group test
	@touch $@

.prepared-lint: .prepared-test
	$(PIP) install --constraint constraints.txt --group lint
	@touch $@

.prepared-bench: .prepared-test
	$(PIP) install --constraint constraints.txt --group bench
	@touch $@

site: .prepared-site ## Build the example newsroom into build/site-example
	$(BIN)/toolkit --site site-example build

serve: .prepared-site ## Serve the example with drafts and live reload
	$(BIN)/toolkit --site site-example serve --preview

docs: .prepared-site ## Build the documentation into build/docs
	$(BIN)/toolkit --site docs build

test: .prepared-test ## Run the tests
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

lint: .prepared-lint ## Check format, lint, types and import layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .prepared-lint ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .prepared-bench ## Measure the toolkit beside Hugo (needs TOOLKIT_CORPUS)
	$(BIN)/python -m tests.benchmarks.run

wheel: .prepared-lint ## Build the wheel into dist/
	$(BIN)/python -m build --wheel

clean: ## Remove what was built and set up
	rm -rf build/* dist .venv .prepared-* site-example/.toolkit site-example/*.db*
	git checkout -q -- build/README.md
