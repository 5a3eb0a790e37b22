# make run | test | check | fix | bench: each sets up what is missing first.
.PHONY: run test check fix bench lock setup clean
.DEFAULT_GOAL := run

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

setup: $(READY)

# Exact versions from requirements.lock; uv where it is there and can reach them, pip otherwise.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV) (a minute or two, once)"
	@{ command -v uv >/dev/null && \
	   uv pip install -q --python $(BIN)/python --require-hashes -r requirements.lock 2>/dev/null; } || \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock \
	    2>&1 | { grep -v -e '^WARNING: Location' -e 'A new release of pip' || true; }
	@$(BIN)/python -c 'import ray, duckdb, hydra, xllamacpp' || \
	  { echo "the packages of requirements.lock could not be installed" >&2; exit 1; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . \
	  2>&1 | { grep -v -e '^WARNING: Location' || true; }
	@touch $@

run: setup
	@$(BIN)/catallaxy run experiment=quickstart
	@$(BIN)/catallaxy report last

# Every test that a machine without a GPU can run. -n: one process per core where tests are small.
test: setup
	$(BIN)/python -m pytest -n auto
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
	uv pip compile pyproject.toml --extra local --extra view --group dev --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-header --no-annotate -o requirements.lock

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis dist
