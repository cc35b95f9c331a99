#!/usr/bin/env bash
# Makes .tools/rivals/node: the packages of package-lock.json, and in `package` what would be deployed: the bundle that esbuild makes.
# The packages are installed when the list has changed.
set -euo pipefail
cd "$(dirname "$0")/../../.."

readonly here=bench/rivals/node home=.tools/rivals/node
say() { printf 'node rival: %s\n' "$*"; }
fail() { printf 'node rival: %s\n' "$*" >&2; exit 1; }

for tool in node npm; do
  command -v $tool >/dev/null || fail "$tool is missing. On Debian and Ubuntu: sudo apt-get install nodejs npm"
done
node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' ||
  fail "Node 20 or later is needed, this is $(node --version)"

wanted=$(cksum <$here/package-lock.json)
if [ -d $home/node_modules ] && [ "$(cat $home/installed-from 2>/dev/null)" = "$wanted" ]; then
  say "the packages are there"
else
  say "installing the packages of $here/package-lock.json below $home"
  mkdir -p $home
  cp $here/package.json $here/package-lock.json $home/
  # Refuses what has not the integrity of the lock file.
  (cd $home && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) ||
    fail "npm could not install them; what it said is above"
  echo "$wanted" >$home/installed-from
  say "done after ${SECONDS} s"
fi
# esbuild's own program: its `bin` is a starter in JavaScript, and its install script, which would replace it, is not run.
NODE_PATH=$home/node_modules $home/node_modules/.bin/esbuild $here/handler.mjs --bundle --minify --platform=node --target=node20 \
  --format=cjs --main-fields=module,main --loader:.hbs=text --outfile=$home/package/handler.cjs --log-level=warning
cp $here/runtime.mjs $home/package/
