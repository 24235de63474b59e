# The two commands of a newcomer are `make demo` and `make test`; `make help` lists the rest.
PYTHON ?= $(shell for python in python3.12 python3.11 python3; do \
  $$python -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null && echo $$python && break; done)
VENV := .venv
RUN := $(VENV)/bin/python

.PHONY: help demo test lint bench faults parity docs clean
.DEFAULT_GOAL := help

help: ## List the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

# The demo needs less than the tests: Spark alone is 450 MB.
$(VENV)/installed-%: pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or 3.12 found: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 2; }
	@echo "Making $(VENV) and installing skewcheck[$*] (a minute or two the first time) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

.PRECIOUS: $(VENV)/installed-%

demo: $(VENV)/installed-demo ## The whole way on real flights, with two audits at the end
	@$(RUN) -m skewcheck.demo

test: $(VENV)/installed-dev lint ## Style, types and all tests
	@$(RUN) -m pytest --numprocesses auto --dist loadfile

lint: $(VENV)/installed-dev ## Style and types
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy

bench: $(VENV)/installed-dev ## Speed as ratios against floors; exit 1 past a limit
	@$(RUN) -m benchmarks

faults: $(VENV)/installed-dev ## Plant faults of every kind in logs, audit them; exit 1 below a floor
	@$(RUN) -m benchmarks.faults

ROWS := 1000000
parity: $(VENV)/installed-dev ## Every operator through all engines on ROWS hard rows (1000000)
	@$(RUN) -m skewcheck parity --rows $(ROWS) --spark-rows 200000

docs: $(VENV)/installed-dev ## Make docs/operators.md of the operators
	@$(RUN) -m skewcheck operators --format markdown > docs/operators.md.new && mv docs/operators.md.new docs/operators.md

clean: ## Remove everything that a command made
	@rm -rf $(VENV) demo-output data log *.egg-info
