# `make` lists what there is. Tools live in .tools, local stacks in .local, what is built in target.
export PATH := $(CURDIR)/.tools/venv/bin:$(CURDIR)/.tools/cargo/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
export CARGO_TARGET_DIR := $(CURDIR)/target

# What an account gets: arm64 or x86_64, and further parameters of template.yaml as Key=Value Key=Value.
ARCHITECTURE ?= arm64
PARAMETERS ?=

.DEFAULT_GOAL := help
.PHONY: help tools build up down env status demo test lint fmt deploy clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

tools: ## install the emulator, the SAM CLI and cargo-lambda into .tools
	@infra/tools/install.sh

build: ## compile everything for this machine
	@cargo build --profile local --workspace --all-targets --locked

up: tools build ## start the local stack, or deploy to it what has changed
	@infra/local/stack.py up

down: ## stop the local stack
	@infra/local/stack.py down

env: ## print the exports that point AWS clients at the stack: eval "$(make -s env)"
	@infra/local/stack.py env

status: ## say what runs and where
	@infra/local/stack.py status

demo: up ## start the local stack and show the system at work on it
	@eval "$$(infra/local/stack.py env)" && target/local/demo

test: tools ## check everything; a stack of its own is started and stopped
	@infra/tools/install.sh nextest
	@infra/local/test.sh

lint: tools ## check format, code and templates
	@infra/local/test.sh lint

fmt: ## format the code
	@cargo fmt --all

deploy: tools ## compile for Lambda and deploy to the AWS account of the environment
	@cargo lambda build --release --locked --$(subst _,-,$(ARCHITECTURE)) --bin notification-orchestrator --bin email-sender --bin sms-sender --bin delivery-events --bin account-monitor
	@BOOTSTRAP_DIR=$(CURDIR)/target/lambda sam build
	@sam deploy --config-env default --parameter-overrides Architecture=$(ARCHITECTURE) $(PARAMETERS)

clean: down ## remove what was built; .tools stays
	@cargo clean --quiet
	@rm -rf .aws-sam
