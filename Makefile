# The commands of this repository. Each target sets up only what it needs; docs/building.md says what that is.

LEDGER := target/release/ledger
.DEFAULT_GOAL := help
.PHONY: help setup demo build release test test-rust test-browser laws matrix soak fuzz fmt lint check-doors bench figures conformance clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: ## Install everything the other targets need
	scripts/setup

demo: build ## Build and start the demo (ONCE=1: run it through once and exit; DOCUMENTS=FOLDER: your own documents; PORT=N)
	$(LEDGER) demo $(if $(filter-out 0,$(ONCE)),--once) $(if $(DOCUMENTS),--documents '$(DOCUMENTS)') $(if $(PORT),--port $(PORT))

build: ## Build target/release/ledger and target/site
	scripts/setup build
	scripts/build

release: ## Build the binary and the site for shops: without simulators, sandbox, demo and benchmarks
	scripts/setup build
	LEAN=1 scripts/build

test: ## Run every test: Rust on SQLite and Postgres, then the browser tests
	scripts/setup build test
	scripts/test

test-rust: ## Run only the Rust tests
	scripts/setup test
	scripts/test-rust

test-browser: build ## Run only the browser tests
	scripts/setup test
	scripts/test-browser

laws: ## Try the laws of the books on 100,000 generated documents of each kind (CASES=N: on as many)
	PROPTEST_CASES=$(or $(CASES),100000) cargo test --release -p posting --lib laws -- --nocapture

matrix: ## Play every kill and fault on every call, on both databases, and write the table (ONLY='part of a name': just those; hours)
	scripts/setup test
	MATRIX=long ONLY='$(ONLY)' $(if $(ONLY),,MATRIX_WRITES='$(CURDIR)/docs/exactly-once.md') scripts/test-rust --test matrix

soak: ## Play a day of 200 shops with failures of all kinds, and outages of Sage (SEED=N, SHOPS=N, DOCUMENTS=N)
	SOAK_SHOPS=$(or $(SHOPS),200) SOAK_SEED=$(or $(SEED),1) OUTAGE_DOCUMENTS=$(or $(DOCUMENTS),1000) \
		cargo test --workspace --exclude frontend --test soak --test outage -- --nocapture

fuzz: ## Try 100,000 hostile documents, settings files and answers of Sage's (CASES=N: so many)
	PROPTEST_CASES=$(or $(CASES),100000) cargo test --release -p domain -p posting --test fuzz -- --nocapture

fmt: ## Format the code
	cargo fmt --all

lint: ## Run clippy, warnings are errors
	scripts/lint

check-doors: ## Check that no crate reaches what it must not
	scripts/check-doors

bench: build ## Run the benchmarks, the history on SQLite and on Postgres (ARGS='--history --runs 100000')
	scripts/setup test
	scripts/with-postgres $(LEDGER) bench $(ARGS)

figures: build ## Measure everything that docs/performance.md tells, and write it there (ONLY='backlog'; three quarters of an hour)
	scripts/setup test
	for part in $(or $(ONLY),events history backlog neighbours); do \
		options=--$$part; [ $$part != neighbours ] || options='--neighbours 600'; \
		scripts/write-figures docs/performance.md bench-$$part scripts/with-postgres $(LEDGER) bench $$options || exit; \
	done

conformance: ## Check the plans and the Sage simulator against the description in SAGE_SWAGGER=FILE
	@test -n "$$SAGE_SWAGGER" || { echo 'say where the description is: make conformance SAGE_SWAGGER=FILE' >&2; exit 2; }
	cargo test -p posting -p simulators --test swagger

# A relative SAGE_SWAGGER is meant from here, and Cargo runs tests in the folder of their crate.
ifneq ($(SAGE_SWAGGER),)
export SAGE_SWAGGER := $(abspath $(SAGE_SWAGGER))
endif

clean: ## Delete what was built; the tools in the cache stay
	cargo clean
	rm -rf end2end/node_modules end2end/test-results end2end/playwright-report
