.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
PYTEST := $(PYTHON) -m pytest
CODE := bot actions tests training bench
FAST := tests/core tests/content tests/safety tests/services tests/web tests/cli tests/docs

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16
bootstrap: ## install uv and both environments
	@scripts/bootstrap.sh
browser: ## find or install Chromium for the browser tests
	@scripts/browser.sh
run: bootstrap ## bring everything up with invented people; Ctrl-C stops it
	@$(PYTHON) -m bot.cli run
check: bootstrap ## the fast part: lint, types, import contracts, unit and content tests
	.venv/bin/ruff check $(CODE)
	.venv/bin/ruff format --check -q $(CODE)
	$(PYTHON) -m mypy bot actions
	PYTHONPATH=. .venv/bin/lint-imports --no-cache
	$(PYTEST) $(FAST)
test: check browser ## everything
	$(PYTEST) tests/security tests/escalation tests/evaluation
	$(PYTEST) tests/dialogue tests/browser tests/faults
audit: ## bandit, ruff's security rules, known vulnerabilities of dependencies
	@scripts/audit.sh
bench: bootstrap ## compare with a plain Rasa bot; writes bench/RESULTS.md (about ten minutes)
	$(PYTHON) -m bench
train-risk: ## train the meaning layer on the corpus (an hour on two cores); writes data/safety/meaning
	@scripts/bootstrap.sh --training
	.venv-train/bin/python -m training.train
safety-case: bootstrap ## measure the risk assessment; writes docs/safety-case.md
	$(PYTHON) -m training.safety_case
.PHONY: help bootstrap browser run check test audit bench train-risk safety-case
