# make run | test | check | fix | bench: each sets up what is missing first.
.PHONY: run test check fix bench lock setup clean
.DEFAULT_GOAL := run

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check
# pip's remarks about places that it looked into in vain; its exit code stays
QUIET := { grep -v -e '^WARNING: Location' -e 'A new release of pip' || true; }

setup: $(READY)

# Exact versions from requirements.lock; uv where it is there and can reach them, pip otherwise.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV) (a minute or two, once)"
	@{ command -v uv >/dev/null && \
	   uv pip install -q --python $(BIN)/python --require-hashes -r requirements.lock 2>/dev/null; } || \
	  $(PIP) --require-hashes -r requirements.lock 2>&1 | $(QUIET)
	@$(PIP) --no-deps --no-build-isolation -e . 2>&1 | $(QUIET)
	@$(BIN)/catallaxy --version >/dev/null
	@touch $@

run: setup
	@$(BIN)/catallaxy run experiment=quickstart
	@$(BIN)/catallaxy report last

# Every test that a machine without a GPU can run. -n: one process per core where tests are small.
test: setup
	$(BIN)/python -m pytest -n auto
	$(BIN)/python -m pytest -n auto -m "slow or process"
	$(BIN)/python -m pytest -m "cluster or local or browser"

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/ty check
	$(BIN)/lint-imports

fix: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup
	$(BIN)/python -m tests.benchmarks

# Needs uv. Versions and hashes, no addresses.
lock:
	uv pip compile pyproject.toml --extra local --extra view --extra analysis --group dev --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-header --no-annotate -o requirements.lock

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis dist
