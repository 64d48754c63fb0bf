#!/bin/sh
# Installs what is needed, once, and runs the tests.
#   ./test.sh          format, lint, types, house rules, unit and contract tests, the whole stack end to end
#   ./test.sh --real   the contract suites against the real engines: Apache Kafka and its own tools, and others as listed
set -eu
cd "$(dirname "$0")"
. ./install.sh
install_packages
PATH=$PWD/node_modules/.bin:$PATH
export PATH

quick() {
  npm run --silent check
  node --test --test-timeout=300000 --test-concurrency=2 'packages/*/test/**/*.test.ts' 'apps/*/test/**/*.test.ts' 'db/test/**/*.test.ts' 'observability/test/**/*.test.ts'
  node --test --test-timeout=300000 --test-concurrency=1 'e2e/test/**/*.test.ts'
}

real() {
  node --test --test-timeout=300000 --test-concurrency=1 'e2e/real/**/*.test.ts'
}

case ${1:-} in
  '') quick ;;
  --real) real ;;
  *)
    echo "usage: ./test.sh [--real]" >&2
    exit 2
    ;;
esac
