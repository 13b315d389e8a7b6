.DEFAULT_GOAL := help
PYTEST := .venv/bin/python -m pytest

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16
bootstrap: ## install uv and both environments
	@scripts/bootstrap.sh
check: bootstrap ## the fast part: lint, types, import contracts, unit and content tests
	.venv/bin/ruff check bot actions tests
	.venv/bin/ruff format --check -q bot actions tests
	.venv/bin/mypy bot actions
	.venv/bin/lint-imports --no-cache
	$(PYTEST) tests/core tests/content tests/safety tests/services
test: bootstrap ## everything
	@$(MAKE) --no-print-directory check
	$(PYTEST) tests/security
audit: ## bandit, ruff's security rules, known vulnerabilities of dependencies
	@scripts/audit.sh
.PHONY: help bootstrap check test audit
