# `make` lists what there is. Tools live in .tools, local stacks in .local, what is built in target.
export PATH := $(CURDIR)/.tools/venv/bin:$(CURDIR)/.tools/cargo/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
export CARGO_TARGET_DIR := $(CURDIR)/target

# What an account gets: arm64 or x86_64, and further parameters of template.yaml as Key=Value Key=Value.
ARCHITECTURE ?= arm64
PARAMETERS ?=

# Whether a new version gets a tenth of the calls for five minutes first.
GRADUAL ?= true

# How many random histories, and from which one on.
COUNT ?= 1000000
SEED ?= 1

# Where the picture of a trace goes, without its ending.
OUT ?= target/trace/trace

# How long each target is fuzzed.
SECONDS_EACH ?= 60

.DEFAULT_GOAL := help
.PHONY: help tools build up down env status account demo trace laboratory gallery pages test lint bench histories safeguards recordings mutants attack fuzz openapi fmt deploy clean

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

account: build ## say what the AWS account of the environment still lacks, and how to mend it (PREFIX, SENDER and ALARM_TOPIC)
	@target/local/ops $(if $(PREFIX),--prefix $(PREFIX)) account $(if $(SENDER),--sender $(SENDER)) $(if $(ALARM_TOPIC),--alarm-topic $(ALARM_TOPIC))

demo: up ## start the local stack and show the system at work on it
	@eval "$$(infra/local/stack.py env)" && target/local/demo

trace: up ## publish one order on the local stack, follow it by its trace, and draw the picture (OUT=docs/trace writes the one of the documents)
	@eval "$$(infra/local/stack.py env)" && target/local/traces order --out $(OUT)

laboratory: up ## play the carriers on the local stack: every carrier in every manner in which it may tell
	@eval "$$(infra/local/stack.py env)" && target/local/laboratory play

gallery: ## show every message in every language on a page and in pictures, and check that all can be read
	@cargo run --profile local --locked -p gallery

pages: ## go through the customers' own pages in a browser, in every language, and check that everybody can use them
	@infra/tools/install.sh axe
	@cargo run --profile local --locked -p browser

test: tools ## check everything; a stack of its own is started and stopped
	@infra/tools/install.sh nextest
	@infra/tools/install.sh axe
	@infra/local/test.sh

lint: tools ## check format, code and templates
	@infra/local/test.sh lint

bench: ## measure the functions and their rivals (SUBJECTS=ours,python and QUICK=1 for less), and writing an e-mail
	@bench/run.sh

histories: ## play a million random histories through the simulation (COUNT and SEED choose others)
	@cargo run --profile local --locked -p simulation --bin histories -- --count $(COUNT) --seed $(SEED)

safeguards: ## remove each safeguard from a copy of the code and show the test that then fails
	@tests/safeguards/remove_each.py

mutants: ## change the ledger's code, the decisions and the readings of answers, one place at a time, and list what no test notices
	@infra/tools/install.sh mutants
	@env -u CARGO_TARGET_DIR cargo mutants --output target/mutants

recordings: tools build ## write anew what the local stack answers to the calls that the memory twins are held to
	@infra/local/stack.py up --name recordings --fault-proxy --parameter DefaultQuietHours=none
	@eval "$$(infra/local/stack.py env --name recordings)" && UPDATE_RECORDINGS=1 cargo test --quiet --profile local --workspace --locked --test it stack::twins
	@infra/local/stack.py down --name recordings

attack: tools ## attack the HTTP API of the local stack by its own document, in every way (make up first; five minutes)
	@infra/local/attack.sh demo

fuzz: ## send the carriers' doors what nobody should send (SECONDS_EACH=60 for each of two targets; a nightly compiler)
	@SECONDS_EACH=$(SECONDS_EACH) infra/local/fuzz.sh

openapi: ## write docs/openapi.json anew from the code
	@UPDATE_OPENAPI=1 cargo test --profile local --workspace --locked --test it open_api

fmt: ## format the code
	@cargo fmt --all

deploy: tools ## compile for Lambda and deploy to the AWS account of the environment
	@cargo lambda build --release --locked --$(subst _,-,$(ARCHITECTURE)) --bin notification-orchestrator --bin email-sender --bin sms-sender --bin in-app-sender --bin delivery-events --bin account-monitor --bin deferred-deliveries --bin preferences-api --bin inbox-api --bin preferences-page --bin carrier-webhook --bin order-status --bin order-outbox --bin carrier-poller --bin tracking-api --bin canary
	@BOOTSTRAP_DIR=$(CURDIR)/target/lambda sam build
	@sam deploy --config-env default --parameter-overrides Architecture=$(ARCHITECTURE) Release=$(shell date -u +%Y%m%dT%H%M%SZ) GradualReleases=$(GRADUAL) $(PARAMETERS)

clean: down ## remove what was built; .tools stays
	@cargo clean --quiet
	@rm -rf .aws-sam
