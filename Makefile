# What to do with this project, one target each. `make` alone lists them.

# The first Python that is new enough. 3.13 before all others: it is what Lambda runs.
PYTHON := $(shell for python in python3.13 python3 python3.14 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

VENV := .venv
BIN := $(VENV)/bin
SAM_VENV := $(VENV)/sam
SAM := $(SAM_VENV)/bin/sam
UV := $(BIN)/uv
UV_INSTALLED := $(VENV)/.requirements-uv
PACKAGES_INSTALLED := $(VENV)/.requirements-dev
SAM_INSTALLED := $(SAM_VENV)/.requirements-sam
CHECKOV_VENV := $(VENV)/checkov
CHECKOV_INSTALLED := $(CHECKOV_VENV)/.requirements-checkov

REACT_BUILT := examples/react/dist/index.html
GUIDE_BUILT := tests/browser/guide/react/dist/index.html
# Without npm the tests of what it builds are skipped and say so.
FRONTENDS := $(if $(shell command -v npm),$(REACT_BUILT) $(GUIDE_BUILT))

PORT ?= 3000
CONTRACT ?= lenient
IAMPORT_PORT ?= 4010
AWS_PORT ?= 4011
TESTS ?= tests
# Twice as many as processors: much of what is tested takes its seconds and no processor, as a time-out does.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(2 * os.cpu_count())')
# Only all tests together reach all of the code.
COVERED := $(if $(filter tests,$(TESTS)),--cov --cov-report=term:skip-covered)

export SAM_CLI_TELEMETRY := 0

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup setup-sam setup-checkov run backends token examples chaos explore contract bench load smoke page-hash probe test lint build lock clean python-3.13

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(PACKAGES_INSTALLED) ## Make .venv with what the service and its tests need

setup-sam: $(SAM_INSTALLED) ## Make .venv/sam with the SAM command line

setup-checkov: $(CHECKOV_INSTALLED) ## Make .venv/checkov with what checks the templates for security

run: setup ## Serve the API and a shop here, PORT=3000 CONTRACT=ksnet and any setting: CUSTOMER_IDENTITY=signed
	@$(BIN)/python -m infra.local --port $(PORT) --contract $(CONTRACT)

backends: setup ## Serve only what the function talks to, for `sam local`, IAMPORT_PORT=4010 AWS_PORT=4011
	@$(BIN)/python -m infra.local --backends-only --iamport-port $(IAMPORT_PORT) --aws-port $(AWS_PORT)

token: setup ## Mint a token for the local service, CUSTOMER_UID=… PAYMENT=9900 NEW=1 REPLACE=1 CLAIMS='{…}'
	@$(BIN)/python -m infra.local.token --new '$(NEW)' --replace '$(REPLACE)' --payment '$(PAYMENT)' \
		--claims '$(CLAIMS)' -- '$(CUSTOMER_UID)'

examples: $(REACT_BUILT) ## Build the React example, which takes npm; `make run` then serves it

contract: setup ## Send 6,000 generated requests and hold every answer against docs/openapi.yaml
	@CONTRACT_REQUESTS=6000 $(BIN)/python -m pytest -q -rP tests/contract

chaos: setup ## Break 2,000 attempts in every way at once, and compare the ledger with Iamport
	@PYTHONPATH=functions/issue_billing:. $(BIN)/python -m tests.chaos

SECONDS ?= 60
SEED ?= 1

explore: setup ## Run every schedule of the small worlds, then larger ones, SECONDS=60 SEED=1
	@PYTHONPATH=functions/issue_billing:. $(BIN)/python -m tests.simulation --seconds $(SECONDS) --seed $(SEED)

bench: python-3.13 setup setup-sam ## Measure it beside the official client and the guide's example, in some minutes
	@$(BIN)/python -m benchmarks

RATE ?= 5
PG_SECONDS ?= 1

load: setup ## Drive the service of `make run` at a rate, RATE=5 SECONDS=60 PG_SECONDS=1
	@$(BIN)/python -m infra.local.load --rate $(RATE) --seconds $(SECONDS) --pg-seconds $(PG_SECONDS)

page-hash: ## List the hosted page's scripts with their hashes
	@$(PYTHON) -m infra.page_hash

smoke: ## Check a deployed service without issuing anything, URL=<the stack's IssueBillingUrl>
	@$(PYTHON) -m infra.smoke "$(URL)"

probe: ## Ask the real Iamport, issuing nothing, whether it is as expected; keys from IMP_KEY, IMP_SECRET or typed in
	@$(PYTHON) -m infra.probe

test: python-3.13 setup setup-sam setup-checkov lint $(FRONTENDS) ## Run all checks and tests, TESTS=tests/unit for some
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(COVERED) $(TESTS)

lint: setup ## Check style, types, and that nothing imports upwards
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=functions/issue_billing $(BIN)/lint-imports --no-logo --no-cache

build: setup-sam ## Make the Lambda package
	$(SAM) build

lock: $(UV_INSTALLED) ## Write the requirements*.txt anew from the requirements*.in
	$(LOCK) functions/issue_billing/requirements.in -o functions/issue_billing/requirements.txt
	$(LOCK) requirements-dev.in -o requirements-dev.txt -c functions/issue_billing/requirements.txt
	$(LOCK) requirements-sam.in -o requirements-sam.txt
	$(LOCK) benchmarks/guide_example/issue_billing/requirements.in -o benchmarks/guide_example/issue_billing/requirements.txt \
		-c requirements-dev.txt
	$(LOCK) benchmarks/official_client/requirements.in -o benchmarks/official_client/requirements.txt
	$(LOCK) requirements-checkov.in -o requirements-checkov.txt
	$(LOCK) requirements-uv.in -o requirements-uv.txt

LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

$(REACT_BUILT): $(wildcard examples/*.js examples/react/*.* examples/react/src/*)
	$(NPM_BUILD)

$(GUIDE_BUILT): $(wildcard tests/browser/*.json tests/browser/guide/react/*.*)
	$(NPM_BUILD)

# In the folder of the package.json that belongs to what is built.
NPM_BUILD = cd $(firstword $(subst /guide, ,$(subst /dist, ,$@))) && npm ci --no-audit --no-fund --silent && npm run build --silent

clean: ## Remove everything that was made here
	rm -rf $(VENV) .aws-sam .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf examples/react/dist examples/react/node_modules tests/browser/guide/react/dist tests/browser/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

python-3.13: $(UV_INSTALLED)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' || { \
		echo 'The tests need Python 3.13: the package is compiled for the Lambda runtime of that version.' >&2; \
		echo 'Install it, then: make clean test' >&2; exit 1; }

$(UV_INSTALLED): requirements-uv.txt
	$(if $(PYTHON),,$(error Python 3.11 or newer is needed: none of python3.13, python3, python3.14, python3.12, \
	python3.11 on the PATH is one))
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-uv.txt
	@touch $@

$(PACKAGES_INSTALLED): requirements-dev.txt $(UV_INSTALLED)
	$(UV) pip sync --quiet --compile-bytecode --require-hashes --python $(BIN)/python requirements-dev.txt
	@touch $@

$(SAM_INSTALLED): requirements-sam.txt $(UV_INSTALLED)
	$(BIN)/python -m venv $(SAM_VENV)
	$(UV) pip sync --quiet --compile-bytecode --require-hashes --python $(SAM_VENV)/bin/python requirements-sam.txt
	@touch $@

$(CHECKOV_INSTALLED): requirements-checkov.txt $(UV_INSTALLED)
	$(BIN)/python -m venv $(CHECKOV_VENV)
	$(UV) pip sync --quiet --compile-bytecode --require-hashes --python $(CHECKOV_VENV)/bin/python requirements-checkov.txt
	@touch $@
