# Every target sets up what it needs first: minutes the first time, a second from then on.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON_OF_VENV := .venv/bin/python
# Whole calls mostly wait: three processes keep two cores busy.
JOBS ?= 3

.PHONY: help setup demo test lint bench lock clean

help: ## say what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## get all that demo, test and bench need: Debian packages, .venv, Asterisk
	@setup/setup.sh all

demo: ## place a real call and watch it; STAY=1 leaves the hotline running
	@setup/setup.sh demo
	@$(PYTHON_OF_VENV) -m demo $(if $(STAY),--stay) $(ARGS)

test: ## run the whole test suite; ARGS="tests/unit -k menu" for a part of it, JOBS=0 for one after the other
	@setup/setup.sh test
	@$(PYTHON_OF_VENV) -m pytest --numprocesses $(JOBS) --dist loadfile $(ARGS)

lint: ## ruff and mypy over everything, luacheck over what runs in Redis
	@setup/setup.sh lint
	$(PYTHON_OF_VENV) -m ruff check .
	$(PYTHON_OF_VENV) -m ruff format --check .
	$(PYTHON_OF_VENV) -m mypy
	$(PYTHON_OF_VENV) -c 'from engine.acd.library import library; print(library().source)' | luacheck -

bench: ## measure calls beside app_queue; ARGS="--cps 30 --json" for more
	@setup/setup.sh bench
	@$(PYTHON_OF_VENV) -m bench calls $(ARGS)

lock: ## write requirements*.lock anew from pyproject.toml; UPGRADE=1 takes newer versions
	@setup/lock.sh $(if $(UPGRADE),--upgrade)

clean: ## remove .venv, .asterisk and caches; var/ (calls, recordings, secrets) stays
	rm -rf .venv .asterisk .asterisk.new build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -f var/log/setup-*.log
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
