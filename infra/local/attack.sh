#!/usr/bin/env bash
# Attacks the HTTP API of a running stack by its own document: 0 failures, or the exchange that broke the promise.
# Usage: infra/local/attack.sh STACK [more arguments of schemathesis run]
set -euo pipefail
cd "$(dirname "$0")/../.."
name=${1:?"the name of a running stack was expected, for example: infra/local/attack.sh demo"}
shift
infra/tools/install.sh schemathesis
exports=$(infra/local/stack.py env --name "$name")
eval "$exports"
token=$(infra/local/stack.py token --name "$name" schemathesis)
# Not every resolver knows the names under localhost; the emulator takes the API's name in the path as well.
host=${E_COM67_API#http://}
base="$AWS_ENDPOINT_URL/_aws/execute-api/${host%%.*}/\$default"
repository=$PWD
mkdir -p target/schemathesis
cd target/schemathesis # it keeps notes of its own where it is started
# The gateway, not the API, answers what has no route, with 404 whatever the method: hence no check of unsupported methods.
"$repository/.tools/schemathesis/bin/schemathesis" --config-file "$repository/infra/local/schemathesis.toml" run "$repository/docs/openapi.json" --url "$base" \
  --header "Authorization: Bearer $token" --exclude-checks unsupported_method --seed 20261120 --no-color "$@"
