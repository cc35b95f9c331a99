#!/usr/bin/env bash
# Prints what the rival is made of: compiler and crates, one line each.
set -euo pipefail
cd "$(dirname "$0")/../../.."

rustc --version | cut -d' ' -f1-2
for crate in lambda_runtime aws-config aws-sdk-dynamodb aws-sdk-sesv2 minijinja tokio; do
  printf '%s %s\n' "$crate" "$(grep -A1 "^name = \"$crate\"$" Cargo.lock | sed -n 's/^version = "\(.*\)"$/\1/p' | paste -sd ' ')"
done
