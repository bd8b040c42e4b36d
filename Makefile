# `make demo` and `make test` set up what they need; see README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements/dev.lock
# As pip does: the authorities this machine trusts, also those of a company.
export UV_SYSTEM_CERTS := true

.PHONY: setup demo demo-stop test test-all test-faults test-security security check bench dev docs lock system coverage screenshots
.DEFAULT_GOAL := setup

setup: $(VENV)/.ready

$(BIN)/uv: requirements/uv.lock
	@$(PYTHON) -c 'import sys; sys.exit("AutoStack needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/uv.lock
	@touch $@

$(VENV)/.ready: $(BIN)/uv $(LOCK) pyproject.toml
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes $(LOCK)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@$(BIN)/python -c 'import autostack.entrypoints.control'  # compiles: a platform that did it itself keeps 16 MB more
	@touch $@

demo: setup
	@DEMO_STOP=$(DEMO_STOP) $(BIN)/python -m demo

demo-stop: setup
	@AUTOSTACK_HOME=$(CURDIR)/.demo/home $(BIN)/autostack down --apps

check: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/deptry src
	@$(BIN)/vulture
	@if [ -n "$(CI)" ]; then $(BIN)/pyright; fi
	@$(BIN)/python dashboard/build.py check

system: setup
	@$(BIN)/python -m tests.system

# Several processes: most tests wait for something. What measures, or is killed, runs alone; so does
# a browser, which gives up on a page whenever a network of the machine comes or goes.
test: setup system
	@$(BIN)/coverage erase
	@$(BIN)/pytest tests/unit tests/contracts tests/integration tests/security/api -m "not alone" --numprocesses 3 --dist loadfile --cov --cov-report=
	@$(BIN)/pytest tests/integration -m alone --cov --cov-append --cov-report=
	@echo "Coverage in percent, branches included (85 or more):"
	@$(BIN)/coverage report --fail-under=85 --format=total
	@$(BIN)/pytest tests/e2e tests/security --ignore=tests/security/api -m "not slow and not faults" --numprocesses 2 --dist loadfile
	@$(BIN)/pytest tests/reliability tests/browser -m "not slow and not faults"

test-all: test
	@$(BIN)/python -m tests.system slow
	@$(BIN)/pytest tests/e2e tests/reliability -m slow
	@$(BIN)/pytest tests/browser -m slow

# Every process killed in every step, and what else may break; a good hour.
test-faults: setup system
	@$(BIN)/pytest tests/reliability

# Every test that holds against an attack, wherever it stands; docs/security-table.md lists them.
test-security: setup system
	@$(BIN)/pytest tests --ignore=tests/security --ignore=tests/browser -m "attack and not slow and not faults"
	@$(BIN)/pytest tests/browser -m attack
	@FUZZ_CASES=6 $(BIN)/pytest tests/security -m "not slow"
	@$(BIN)/python -m tools.attacks

security: setup
	@$(BIN)/python -m tools.scans

bench: setup
	@$(BIN)/python -m benchmarks

dev: setup
	@$(BIN)/autostack up

docs: setup
	@$(BIN)/python -m tools.docs

screenshots: setup system
	@$(BIN)/python -m tools.screenshots

lock: $(BIN)/uv
	@echo 'uv' | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --output-file requirements/uv.lock -
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --group dev pyproject.toml --output-file $(LOCK)
