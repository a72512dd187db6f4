# Everything runs in .venv, which this file makes by itself from the lock files.
PYTHON ?= python3.11
PYTHON := $(shell command -v $(PYTHON) 2>/dev/null || command -v python3)
BIN := .venv/bin
SCENARIO ?=
# More than there are processors: many tests wait for a moment to pass.
JOBS ?= 4

.DEFAULT_GOAL := help
.PHONY: help demo test lint types contracts tests test-long bench pictures format lock wheel clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/runtime: requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

.venv/dev: requirements-dev.lock .venv/runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

demo: .venv/runtime ## three exchanges, a crash, every alert: live in the terminal, about a minute
	$(BIN)/python -m monitor demo $(SCENARIO)

test: lint types contracts tests ## everything that CI runs

lint: .venv/dev ## ruff: lint and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev ## mypy --strict
	$(BIN)/mypy

contracts: .venv/dev ## import-linter: the direction of imports
	$(BIN)/lint-imports

tests: .venv/dev ## pytest
	$(BIN)/python -m pytest -n $(JOBS) -q

test-long: .venv/dev ## what takes minutes and is left out of `make test`
	$(BIN)/python -m pytest -n $(JOBS) -q -m long

bench: .venv/dev ## CPU, latency, memory and start against a plain ccxt polling script
	$(BIN)/python bench/run.py

pictures: .venv/runtime ## the README's picture, taken from the demo
	PYTHONPATH=. $(BIN)/python deploy/pictures/make.py

format: .venv/dev ## ruff: mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: .venv/dev ## build the wheel into dist/
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

lock: ## renew the lock files (hashes, no index addresses)
	$(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet uv
	build/lock/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade --quiet -o requirements.lock
	build/lock/bin/uv pip compile pyproject.toml --extra dev -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade --quiet -o requirements-dev.lock

clean: ## remove what this file made
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
