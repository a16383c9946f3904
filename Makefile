# make run: the portal. make test: all tests. Everything installs into .venv beside this file; nothing else is touched.
PORT ?= 8501
PYTHON ?= python3
BIN := .venv/bin
LOCK := --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: run test test-all test-postgres quick check fmt lock migration bench reset-demo verify docs clean help

help:           ## What can be made
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 14

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Name another one: make run PYTHON=python3.12")'
	@echo "Making .venv ..."
	@$(PYTHON) -m venv .venv

.venv/.installed: requirements.lock | .venv/bin/python
	@echo "Installing what the portal needs (once, a minute or two) ..."
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	@touch $@

.venv/.installed-dev: requirements-dev.lock | .venv/bin/python
	@echo "Installing what the tests need (once) ..."
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements-dev.lock
	@touch .venv/.installed $@

run: .venv/.installed   ## The portal on http://localhost:8501 (PORT=8601 for another)
	@$(BIN)/python manage.py run --port $(PORT)

test: .venv/.installed-dev   ## All tests, browser journeys included; on PostgreSQL too where it differs
	@$(BIN)/python -m scripts.find_chromium --install
	@$(BIN)/python -m pytest -n $${TEST_WORKERS:-auto} --durations=20 $(TESTS)

test-all:       ## The same, all of it on SQLite and on PostgreSQL, with more examples
	@FMAR_TEST_THOROUGH=1 $(MAKE) --no-print-directory test

test-postgres:  ## All tests on PostgreSQL alone
	@FMAR_TEST_DATABASES=postgres $(MAKE) --no-print-directory test

quick: .venv/.installed-dev   ## The tests of what differs from main, on SQLite, without a browser, in under a minute
	@tests="$$($(BIN)/python -m scripts.quick_tests)"; \
	if [ -n "$$tests" ]; then FMAR_TEST_DATABASES=sqlite $(BIN)/python -m pytest -q -n $${TEST_WORKERS:-auto} $$tests; \
	else echo "Nothing that differs from main has tests of its own. make test runs all of them."; fi

check: .venv/.installed-dev   ## Format, lint, types, layers, known vulnerabilities
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports
	@$(BIN)/python -m scripts.check_names
	@$(BIN)/python -m scripts.audit --offline-ok

fmt: .venv/.installed-dev     ## Format the code, and mend what the linter can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: .venv/.installed-dev    ## Hold requirements*.txt to versions with hashes, anew (UPGRADE=--upgrade for newer ones)
	@$(BIN)/uv pip compile --quiet $(LOCK) $(UPGRADE) requirements.txt --output-file requirements.lock
	@$(BIN)/uv pip compile --quiet $(LOCK) $(UPGRADE) requirements-dev.txt --constraint requirements.lock --output-file requirements-dev.lock

migration: .venv/.installed-dev   ## Draft the migration for what changed in models/: make migration NAME="maintenance windows"
	@test -n "$(NAME)" || { echo 'Name it: make migration NAME="maintenance windows"'; exit 1; }
	@folder="$$(mktemp -d)"; export DATABASE_URL="sqlite:///$$folder/empty.db"; \
	$(BIN)/alembic upgrade head && $(BIN)/alembic revision --autogenerate -m "$(NAME)" && $(BIN)/ruff format --quiet migrations; \
	status=$$?; rm -rf "$$folder"; exit $$status

bench: .venv/.installed-dev   ## Measurements, as ratios against a baseline in the same run
	@$(BIN)/python manage.py bench

reset-demo: .venv/.installed   ## Put the demo data back as it was
	@$(BIN)/python manage.py reset-demo

verify: .venv/.installed   ## Verify the ledger
	@$(BIN)/python manage.py verify-ledger

docs: .venv/.installed-dev   ## Write the generated parts of docs/ anew
	@$(BIN)/python -m scripts.doc_tables
	@$(BIN)/python -m scripts.make_docs

clean:          ## Remove .venv and caches; the register in var/ stays
	@rm -rf .venv .pytest_cache .ruff_cache .import_linter_cache .hypothesis
