#!/usr/bin/env bash
# Every check of the project, one line per step with the seconds since the beginning. `test.sh lint` stops before the tests.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PWD/.tools/venv/bin:$PWD/.tools/cargo/bin:$PATH" CARGO_TARGET_DIR="$PWD/target"
export SAM_CLI_TELEMETRY=0 INSTA_UPDATE=no

step() { printf '%6d s  %s\n' "$SECONDS" "$*"; }

step "format"
cargo fmt --all --check
step "templates"
sam validate --lint --region eu-west-1
cfn-lint --append-rules cfn_lint_serverless.rules --template template.yaml infra/*.yaml
step "dependencies"
infra/tools/install.sh deny
cargo deny --locked check --hide-inclusion-graph bans licenses sources
# The advisories are in a repository on GitHub, which not every machine may reach.
if timeout 60 cargo deny --locked fetch db >/dev/null 2>&1; then
  cargo deny --locked check --disable-fetch advisories
  step "dependencies: licences, versions, sources and advisories were checked"
else
  step "dependencies: licences, versions and sources were checked; ADVISORIES WERE NOT: their database cannot be reached"
fi
step "clippy"
cargo clippy --workspace --all-targets --profile local --locked -- -D warnings
if [ "${1:-}" = lint ]; then
  step "done"
  exit
fi

step "build"
cargo build --workspace --all-targets --profile local --locked

step "pages"
target/local/browser

stop_stack() {
  local code=$?
  if [ "$code" -ne 0 ] && [ -d .local/test ]; then
    mkdir -p target/test-logs
    cp .local/test/*.log target/test-logs/ 2>/dev/null || true
    step "failed with code $code; the logs of the stack are in target/test-logs"
  fi
  infra/local/stack.py down --name test || true
  exit "$code"
}
trap stop_stack EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step "stack"
infra/local/stack.py down --name test
# No test depends on the hour: quiet hours are kept by those customers only whose tests store some.
# With AUTH the emulator enforces the roles' policies: what a function may not do, it cannot do here either.
AUTH=true infra/local/stack.py up --name test --fault-proxy --parameter DefaultQuietHours=none --parameter InDoubtSeconds=10 --parameter RetryBaseSeconds=1 --parameter SmsPerNumberPerDay=10 --parameter AdminEmail=admin@example.com --parameter PublicUrl=https://pages.example.com
exports=$(infra/local/stack.py env --name test)
eval "$exports"
export E_COM67_STACK=test

step "tests"
cargo nextest run --workspace --cargo-profile local --locked --no-fail-fast
step "attack on the API"
infra/local/attack.sh test --phases examples,fuzzing --max-examples 25
step "permissions"
# Last: it compares what the roles grant with what the functions did in all that came before.
cargo nextest run --workspace --cargo-profile local --locked --run-ignored only -E 'package(it) & test(/^permissions::/)'
step "done"
