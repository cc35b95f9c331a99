#!/usr/bin/env bash
# Measures the functions and their rivals, then how long it takes to write an e-mail, and whether a bad link is refused in one
# time whatever is bad. What cannot be measured here is named.
#   SUBJECTS=ours,python   only these: ours, or a folder of bench/rivals
#   QUICK=1                short runs
#   WRITE_BASELINE=1       record the counts of ours in bench/baseline.json instead of holding them to it
# Arguments are the rig's: bench/run.sh --kind status --delay-ms 5
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}

cargo build --release --locked -p email-sender -p notification-orchestrator
cargo build --release --locked -p bench --bin rig --bin render

options=(--baseline bench/baseline.json)
[ -z "${SUBJECTS:-}" ] || options+=(--subjects "$SUBJECTS")
[ -z "${QUICK:-}" ] || options+=(--quick)
[ -z "${WRITE_BASELINE:-}" ] || options+=(--write-baseline)
outcome=0
"$CARGO_TARGET_DIR/release/rig" --work "$CARGO_TARGET_DIR/bench" --rivals bench/rivals \
  --orchestrator "$CARGO_TARGET_DIR/release/notification-orchestrator" --sender "$CARGO_TARGET_DIR/release/email-sender" \
  "${options[@]}" "$@" || outcome=$?

cargo bench --locked -p bench --bench rendering
cargo run --release --locked -p bench --bin refusals

if ! command -v valgrind >/dev/null; then
  echo "instructions: not counted, because valgrind is missing. On Debian and Ubuntu: sudo apt-get install valgrind"
  exit $outcome
fi

readonly few=200 many=600
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What starting costs is in both runs; what they differ by are the e-mails.
count() {
  valgrind --tool=callgrind --callgrind-out-file="$work/out.$1" "$CARGO_TARGET_DIR/release/render" "$1" 2>"$work/log.$1"
  sed -n 's/^summary: \([0-9]*\).*/\1/p' "$work/out.$1" | head -n1
}
less=$(count $few)
more=$(count $many)
echo "instructions: $(((more - less) / (many - few))) per e-mail (callgrind, the slope between $few and $many e-mails)"
exit $outcome
