#!/usr/bin/env bash
# Makes .tools/: the Python tools of requirements.txt in .tools/venv; with the argument `nextest` the test runner in .tools/cargo, with
# `mutants`, `fuzz` and `deny` what changes the code, what drives the fuzzer and what judges the dependencies, there too, with `schemathesis` what attacks the API in
# .tools/schemathesis, with `axe` the accessibility checks of node/package-lock.json in .tools/node, if npm is there.
# Does nothing when they are there already.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly nextest_version=0.9.143
mutants_version=27.1.0
readonly fuzz_version=0.13.2
readonly deny_version=0.20.2
export PATH="$PWD/.tools/cargo/bin:$PATH"

say() { printf 'tools: %s\n' "$*"; }
fail() { printf 'tools: %s\n' "$*" >&2; exit 1; }

check_rust() {
  command -v cargo >/dev/null && command -v rustc >/dev/null ||
    fail "Rust is missing. Install it with: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
  local version
  version=$(rustc --version | cut -d' ' -f2)
  [ "$(printf '%s\n' 1.95.0 "$version" | sort -V | head -n1)" = 1.95.0 ] ||
    fail "Rust 1.95 or later is needed, this is $version. Update it with: rustup update stable"
}

find_python() {
  local candidate
  for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  fail "Python 3.11 or later is needed. On Debian and Ubuntu: sudo apt-get install python3 python3-venv"
}

# The packages of a list of requirements, in a virtual environment of their own.
install_python_tools() {
  local venv=$1 requirements=$2 wanted python
  local stamp=$venv/installed-from
  wanted=$(cksum <"$requirements")
  if [ -x $venv/bin/python ] && [ "$(cat $stamp 2>/dev/null)" = "$wanted" ] && $venv/bin/python -c '' 2>/dev/null; then
    return
  fi
  python=$(find_python)
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "Python's venv module is missing. On Debian and Ubuntu: sudo apt-get install python3-venv"
  if ! $venv/bin/python -m pip --version >/dev/null 2>&1; then
    say "making $venv"
    "$python" -m venv --clear $venv
  fi
  say "installing the packages of $requirements (the first time a minute or two)"
  rm -f $stamp
  $venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r $requirements ||
    fail "pip could not install them; what it said is above"
  echo "$wanted" >$stamp
  say "done after ${SECONDS} s"
}

install_nextest() {
  if cargo nextest --version >/dev/null 2>&1; then
    return
  fi
  say "installing cargo-nextest $nextest_version (compiles for a few minutes, once)"
  cargo install cargo-nextest --locked --version $nextest_version --root .tools/cargo
  say "done after ${SECONDS} s"
}

install_axe() {
  local wanted
  wanted=$(cksum <infra/tools/node/package-lock.json)
  if [ "$(cat .tools/node/installed-from 2>/dev/null)" = "$wanted" ] && [ -f .tools/node/node_modules/axe-core/axe.min.js ]; then
    return
  fi
  if ! command -v npm >/dev/null; then
    say "npm is missing, so accessibility is not checked with axe-core. On Debian and Ubuntu: sudo apt-get install npm"
    return
  fi
  say "installing the packages of infra/tools/node/package-lock.json (3 MB)"
  mkdir -p .tools/node
  cp infra/tools/node/package.json infra/tools/node/package-lock.json .tools/node/
  # Refuses what has not the integrity of the lock file.
  (cd .tools/node && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) ||
    fail "npm could not install them; what it said is above"
  echo "$wanted" >.tools/node/installed-from
}

install_mutants() {
  if cargo mutants --version >/dev/null 2>&1; then
    return
  fi
  say "installing cargo-mutants $mutants_version (compiles for a few minutes, once)"
  cargo install cargo-mutants --locked --version $mutants_version --root .tools/cargo
  say "done after ${SECONDS} s"
}

install_fuzz() {
  if cargo fuzz --version >/dev/null 2>&1; then
    return
  fi
  say "installing cargo-fuzz $fuzz_version (compiles for a minute, once)"
  cargo install cargo-fuzz --locked --version $fuzz_version --root .tools/cargo
  say "done after ${SECONDS} s"
}

install_deny() {
  if cargo deny --version >/dev/null 2>&1; then
    return
  fi
  say "installing cargo-deny $deny_version (compiles for a few minutes, once)"
  cargo install cargo-deny --locked --version $deny_version --root .tools/cargo
  say "done after ${SECONDS} s"
}

check_rust
case "${1:-}" in
  "") install_python_tools .tools/venv infra/tools/requirements.txt ;;
  schemathesis) install_python_tools .tools/schemathesis infra/tools/schemathesis.txt ;;
  nextest) install_nextest ;;
  axe) install_axe ;;
  mutants) install_mutants ;;
  fuzz) install_fuzz ;;
  deny) install_deny ;;
  *) fail "usage: infra/tools/install.sh [nextest | axe | mutants | fuzz | deny | schemathesis]" ;;
esac
