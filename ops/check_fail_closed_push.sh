#!/bin/sh
root=$(dirname "$(dirname "$(readlink -f "$0")")")
exec "$root/node_modules/.bin/node" "$root/ops/hq.mjs" check-push "$@"
