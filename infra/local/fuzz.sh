#!/usr/bin/env bash
# Fuzzes what carriers send, SECONDS_EACH (60) for each of the two targets; an input that breaks a promise stays in
# shared/carriers/fuzz/artifacts. Needs a nightly compiler: without one it fails, or, with ALLOW_NO_NIGHTLY=true, says so and goes on.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PWD/.tools/cargo/bin:$PATH"
seconds=${SECONDS_EACH:-60}

if ! cargo +nightly --version >/dev/null 2>&1; then
  echo "fuzz: there is no nightly compiler, so nothing was fuzzed. Install one with: rustup toolchain install nightly --profile minimal" >&2
  [ "${ALLOW_NO_NIGHTLY:-false}" = true ] && exit 0
  exit 1
fi
infra/tools/install.sh fuzz

# What is built with sanitizers is of no use to anything else.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}/fuzz"
fuzz=shared/carriers/fuzz
corpus=$fuzz/corpus
python3 $fuzz/seed.py events/carriers $corpus
for target in verifiers parsers; do
  echo "fuzz: $target for $seconds s"
  cargo +nightly fuzz run --fuzz-dir $fuzz $target $corpus/$target -- \
    -max_total_time="$seconds" -max_len=32768 -timeout=10 -rss_limit_mb=2048 -dict=$corpus/names.dict -print_final_stats=1
done
