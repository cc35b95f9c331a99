#!/usr/bin/env bash
# Makes .tools/rivals/python: `venv` holds the interpreter, `package` what would be deployed: the packages of requirements.txt,
# app.py and the templates; `package.tar` is the same as one file. The packages are installed when the list has changed.
set -euo pipefail
cd "$(dirname "$0")/../../.."

readonly here=bench/rivals/python home=.tools/rivals/python
say() { printf 'python rival: %s\n' "$*"; }
fail() { printf 'python rival: %s\n' "$*" >&2; exit 1; }

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

install_packages() {
  local python wanted
  python=$(find_python)
  wanted=$("$python" --version; cksum <$here/requirements.txt)
  if [ -x $home/venv/bin/python ] && [ "$(cat $home/installed-from 2>/dev/null)" = "$wanted" ]; then
    say "the packages are there"
    return
  fi
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "Python's venv module is missing. On Debian and Ubuntu: sudo apt-get install python3-venv"
  say "installing the packages of $here/requirements.txt below $home"
  rm -rf $home
  mkdir -p $home
  "$python" -m venv $home/venv
  $home/venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: \
    --target $home/package -r $here/requirements.txt || fail "pip could not install them; what it said is above"
  echo "$wanted" >$home/installed-from
  say "done after ${SECONDS} s"
}

install_packages
mkdir -p $home/package/message
cp $here/app.py $here/versions.py $home/package/
cp bench/rivals/message/order_confirmation.html bench/rivals/message/order_confirmation.txt $home/package/message/
# As a deployment leaves it: nothing is compiled when it starts.
$home/venv/bin/python -m compileall -q $home/package/app.py
# One file, so that it can be weighed.
(cd $home/package && ../venv/bin/python -m tarfile -c ../package.tar .)
