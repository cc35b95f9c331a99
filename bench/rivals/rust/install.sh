#!/usr/bin/env bash
# Builds rival-rust with the release profile and the features of the workspace.
set -euo pipefail
cd "$(dirname "$0")/../../.."

if ! command -v cargo >/dev/null; then
  echo "rust rival: Rust is missing. Install it with: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh" >&2
  exit 1
fi
echo "rust rival: building (the first time the SDK is compiled, which takes a while)"
# The whole workspace decides the features, so that the SDK is compiled once for the functions and for the rival.
cargo build --quiet --release --locked --workspace --bin rival-rust
echo "rust rival: done after ${SECONDS} s"
