# The two commands are `make run` and `make test`. They need Python 3.11 or newer and make, and nothing else.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run rehearsal stop test test-real bench lint lock assets browser clean

# The first Python of this machine that is new enough; `make run PYTHON=/path/to/python` names another.
PYTHON ?= $(shell for found in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$found -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$found && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Three tests at a time, also on two cores: many wait for a browser or a server. `make test JOBS=0` runs one by one.
JOBS ?= 3
# `make test TESTS=tests/ledger` runs some of them.
TESTS ?= tests
# Without those on real data, which take minutes.
MARK ?= not real

help:  ## Show what there is to do (this list)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

run: .venv/run.stamp assets  ## Start the whole fund here; Ctrl-C stops it (PORT=8100 for other ports)
	@[ ! -f $(GRANTS) ] || echo "To see the fund full of real work: make rehearsal (real grants are in $(GRANTS))"
	@exec $(BIN)/fund run

# A file of real grants to rehearse with; GRANTS=FILE names another.
GRANTS ?= $(or $(SHARED_DIR),../shared)/data/360giving/power_to_change_2015_2019.json

rehearsal: .venv/run.stamp assets  ## Drive real grants through the fund (many minutes, can be cut off), then show it
	@$(BIN)/fund replay $(GRANTS)
	@exec $(BIN)/fund rehearsal

stop:  ## Stop the fund of this folder, also what a run that was cut off left over
	@exec $(BIN)/fund stop

test: .venv/test.stamp assets browser  ## Run all tests (MARK= : those on real data too)
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "$(MARK)" $(TESTS); status=$$?; \
	$(BIN)/fund stop --var var/test >/dev/null; exit $$status

test-real:  ## Run the tests on real data (../shared, or SHARED_DIR)
	@$(MAKE) --no-print-directory test MARK=real

bench: .venv/test.stamp assets browser  ## Measure the pages, the replay and the memory against their budgets
	@$(BIN)/python -m bench

lint: .venv/test.stamp  ## Check the code without running it
	@for check in "ruff check ." "mypy" "lint-imports --no-cache" "djlint templates --lint --quiet" "deptry ." \
		"bandit -q -ll -iii -c pyproject.toml -r fund worker.py"; do \
		printf '  %s\n' "$${check%% *}"; \
		said=$$($(BIN)/$$check 2>&1) || { printf '%s\n' "$$said"; exit 1; }; \
	done; echo "Nothing to mend."

lock: .venv/test.stamp  ## Choose the packages' newest versions anew and pin them by hash
	@for set in run test; do \
		extra=$$([ $$set = test ] && echo "--extra test --constraint requirements/run.txt"); \
		$(BIN)/uv pip compile pyproject.toml $$extra --universal --generate-hashes --no-emit-index-url --no-header \
			--upgrade --quiet --output-file requirements/$$set.txt; done

assets: .venv/run.stamp  ## Build the style sheet, scripts and pictures, where they changed
	@$(BIN)/python -m fund.web.assets

# Debian's chromium where we may install it, else Playwright's own.
browser: .venv/test.stamp
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { \
		echo "Fetching a browser for the tests (once, about a minute) …"; \
		{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq >/dev/null 2>&1 \
			&& DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1; } \
		|| PLAYWRIGHT_NODEJS_PATH=$$($(BIN)/python -c "from fund.web import assets; print(assets.node())") \
			$(BIN)/playwright install chromium >/dev/null; }

clean:  ## Remove what was built (.venv, assets, caches); the data in var/ stays
	@rm -rf .venv node_modules fund/web/static .mypy_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@[ -n "$(PYTHON)" ] || { echo "The fund needs Python 3.11 or newer, and this machine has none. Install it, or name \
	one: make run PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Making a place for the fund's packages (.venv) …"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "This Python cannot make environments. On Debian and Ubuntu: \
	apt-get install python3-venv" >&2; exit 1; }

.venv/run.stamp: requirements/run.txt pyproject.toml | .venv/bin/python
	@echo "Installing the fund's packages (about a minute) …"
	@$(PIP) install --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/test.stamp: requirements/test.txt .venv/run.stamp
	@echo "Installing what the tests need (about a minute) …"
	@$(PIP) install --require-hashes -r requirements/test.txt
	@touch $@
