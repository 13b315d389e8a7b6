.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
PYTEST := $(PYTHON) -m pytest
CODE := bot actions tests training bench
FAST := tests/core tests/adapters tests/content tests/safety tests/services tests/web tests/cli tests/docs
# The first test of a group also waits for all processes to start.
LONG := --timeout 900

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16
bootstrap: ## install uv and both environments
	@scripts/bootstrap.sh
browser: ## find or install Chromium for the browser tests
	@scripts/browser.sh
postgres: ## find or install PostgreSQL for the tests on it
	@scripts/postgres.sh
run: bootstrap ## bring everything up with invented people; Ctrl-C stops it
	@$(PYTHON) -m bot.cli run
check: bootstrap ## the fast part: lint, types, import contracts, unit and content tests
	.venv/bin/ruff check $(CODE)
	.venv/bin/ruff format --check -q $(CODE)
	$(PYTHON) -m mypy bot actions
	PYTHONPATH=. .venv/bin/lint-imports --no-cache
	$(PYTEST) $(FAST)
test: check ## everything that has been seen to pass as a whole
	$(PYTEST) $(LONG) tests/security tests/evaluation
	$(PYTEST) $(LONG) tests/dialogue --ignore tests/dialogue/test_scripts.py
test-more: browser postgres ## suites not yet seen to pass as a whole: scripted dialogues, browser, kills, escalation with real workers
	$(PYTEST) $(LONG) tests/dialogue/test_scripts.py tests/browser tests/faults
	$(PYTEST) $(LONG) -rs tests/escalation
audit: ## bandit, ruff's security rules, known vulnerabilities of dependencies
	@scripts/audit.sh
bench: bootstrap ## compare with a plain Rasa bot; writes bench/RESULTS.md (about ten minutes)
	$(PYTHON) -m bench
train-risk: ## train the meaning layer on the corpus (an hour on two cores); writes data/safety/meaning
	@scripts/bootstrap.sh --training
	.venv-train/bin/python -m training.train
train-steering: ## train the encoder that tells steering from answers (minutes); writes data/steering
	@scripts/bootstrap.sh --training
	.venv-train/bin/python -m training.steering
safety-case: bootstrap ## measure the risk assessment; writes docs/safety-case.md
	$(PYTHON) -m training.safety_case
.PHONY: help bootstrap browser postgres run check test test-more audit bench train-risk train-steering safety-case
