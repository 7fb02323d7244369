# passerelle: `make` alone lists the targets. `make demo` and `make test` do all the set-up on a fresh machine.

SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
MUTATION_STAMP := $(VENV)/.installed-mutation

.DEFAULT_GOAL := help
.PHONY: help install demo up test lint format rules bench soak mutation wheel clean

help: ## list the targets
	@grep -hE '^[a-z][a-z-]*:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

# uv when it is present (seconds), else venv and pip: the same hashed lock either way.
$(STAMP): requirements.lock pyproject.toml
	@echo "Installation dans $(VENV), une fois, une minute environ / installing into $(VENV), once, about a minute ..."
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing --python $(PYTHON) $(VENV) && \
	  VIRTUAL_ENV=$(CURDIR)/$(VENV) uv pip install --quiet --require-hashes -r requirements.lock && \
	  VIRTUAL_ENV=$(CURDIR)/$(VENV) uv pip install --quiet --no-deps -e . ; \
	else \
	  $(PYTHON) -m venv $(VENV) && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e . ; \
	fi
	@touch $(STAMP)

install: $(STAMP) ## install the locked dependencies and the product into .venv

demo: $(STAMP) ## play the story of Val-de-Brume over real sockets, in a throw-away sandbox
	@$(BIN)/passerelle demo $(ARGS)

up: $(STAMP) ## start the sandbox (Ctrl-C stops it); ARGS="--port-offset 10000 --lang en"
	@$(BIN)/passerelle up $(ARGS)

test: $(STAMP) ## run every test whose tools are on this machine
	@$(BIN)/pytest

lint: $(STAMP) ## style, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(STAMP) ## rewrite the code in the house style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

rules: $(STAMP) ## write docs/rules.md from the rule catalogue
	@mkdir -p .make && $(BIN)/passerelle rules --format markdown > .make/rules.md && mv .make/rules.md docs/rules.md

bench: $(STAMP) ## measure against named peers, as ratios of one run
	@$(BIN)/python -m tests.bench

soak: $(STAMP) ## kill -9 the gateway 200 times under load; no acknowledged message may be lost
	@$(BIN)/python -m tests.faults.soak

# What mutmut needs beyond requirements.lock; --no-deps leaves what the main lock chose as it is.
$(MUTATION_STAMP): requirements-mutation.lock $(STAMP)
	@if command -v uv >/dev/null 2>&1; then \
	  VIRTUAL_ENV=$(CURDIR)/$(VENV) uv pip install --quiet --no-deps --require-hashes -r requirements-mutation.lock ; \
	else \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-mutation.lock ; \
	fi
	@touch $(MUTATION_STAMP)

mutation: $(MUTATION_STAMP) ## change the rule code place by place: which changes does no test notice? ARGS="--fresh"
	@$(BIN)/python -m tests.mutation $(ARGS)

wheel: $(STAMP) ## build the wheel into dist/
	@$(PYTHON) -m venv .make/build && .make/build/bin/pip install --quiet build && .make/build/bin/python -m build --wheel --outdir dist .

clean: ## remove the environment and caches
	rm -rf $(VENV) .make dist mutants .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
