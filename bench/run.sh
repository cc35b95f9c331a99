#!/usr/bin/env bash
# Measures how long it takes to write an e-mail, and how many instructions; and whether a bad link is refused in one time whatever is bad. What cannot be measured here is named.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo bench --quiet --locked -p bench
cargo run --quiet --release --locked -p bench --bin refusals

if ! command -v valgrind >/dev/null; then
  echo "instructions: not counted, because valgrind is missing. On Debian and Ubuntu: sudo apt-get install valgrind"
  exit 0
fi

readonly few=200 many=600
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo build --quiet --release --locked -p bench --bin render

# What starting costs is in both runs; what they differ by are the e-mails.
count() {
  valgrind --tool=callgrind --callgrind-out-file="$work/out.$1" "$CARGO_TARGET_DIR/release/render" "$1" 2>"$work/log.$1"
  sed -n 's/^summary: \([0-9]*\).*/\1/p' "$work/out.$1" | head -n1
}
less=$(count $few)
more=$(count $many)
echo "instructions: $(((more - less) / (many - few))) per e-mail (callgrind, the slope between $few and $many e-mails)"
