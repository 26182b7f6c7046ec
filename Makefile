# Every command of the project. Each does the set-up it needs, says what it installs, and is quick the second time.

SHELL := /bin/bash
.DEFAULT_GOAL := help
# One thing at a time: cargo uses all cores itself.
.NOTPARALLEL:

# What `hallows run` is told: a system or a program, and options.
ARGS ?= calculator
# Which benchmarks, and options such as --json. Empty: all.
BENCH ?=

hallows = $(or $(CARGO_TARGET_DIR),target)/release/hallows

.PHONY: help
help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@echo "One stage of the tests: make test STAGES=\"clippy unit\"; all of them: scripts/test.sh --list"
	@echo "Longer: make test SEEDS=100000 (simulated machines) FUZZ=100000000 (arbitrary calls) MODEL_DEPTH=8 (models)"

.PHONY: run
run: build ## build, then boot a machine on cores of this one (ARGS="counter --cores 1")
	@$(hallows) run $(ARGS)

.PHONY: test
test: ## every check: scripts, format, licences, lints, docs, tests, models, bare metal (STAGES="clippy unit")
	@scripts/test.sh $(STAGES)

.PHONY: guest
guest: build ## the host tests in virtual machines: another kernel, both versions of cpusets, isolated cores
	@machines/linux/tests/host/in-vm.sh

.PHONY: fresh
fresh: ## the set-up on a fresh image of this distribution, in a chroot (root; some minutes)
	@scripts/fresh.sh

.PHONY: bench
bench: build ## build, rivals too, then measure beside Linux (BENCH="protected-call --json")
	@scripts/build.sh rivals
	@$(hallows) bench $(BENCH)

.PHONY: build
build: ## build the hallows command with compiler and programs inside
	@scripts/build.sh

.PHONY: dist
dist: ## one static binary in target/dist, with checksums, licences and bills of materials; checked to run alone
	@scripts/dist.sh

.PHONY: artifacts
artifacts: ## build only what hallows embeds: compiler and example programs
	@scripts/build.sh artifacts

.PHONY: metal
metal: ## build the bare-metal machine
	@scripts/build.sh artifacts metal

.PHONY: setup
setup: ## install what builds and tests need, and nothing else
	@scripts/setup.sh test

.PHONY: format
format: ## format all code
	@scripts/format.sh

.PHONY: clean
clean: ## remove everything that was built, tools included
	rm -rf target
