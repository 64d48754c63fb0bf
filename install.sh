# shellcheck shell=sh
# Shared by run.sh and test.sh: checks Node and npm, and installs the packages when they are not those of the lock file.

fail() {
  echo "tidemark: $1" >&2
  exit 1
}

check_node() {
  command -v node >/dev/null 2>&1 || fail "Node.js is not installed; install version 20 or newer from https://nodejs.org"
  major=$(node -p 'process.versions.node.split(".")[0]') || fail "the node on your PATH does not run; install version 20 or newer from https://nodejs.org"
  [ "$major" -ge 20 ] || fail "Node.js $(node --version) is too old; install version 20 or newer"
  command -v npm >/dev/null 2>&1 || fail "npm is not installed; it usually comes with Node.js"
}

# npm leaves a copy of the lock file that it installed; ours is compared with the one that this folder was installed from.
install_packages() {
  check_node
  stamp=node_modules/.tidemark-lock
  if [ -f "$stamp" ] && cmp -s package-lock.json "$stamp"; then
    return
  fi
  echo "  installing packages (once) …"
  attempt=1
  until npm ci --loglevel=error --no-audit --no-fund; do
    [ "$attempt" -lt 3 ] || fail "the packages could not be installed; check the network and what npm said above, then try again"
    attempt=$((attempt + 1))
    echo "  trying again ($attempt of 3) …"
    sleep 2
  done
  [ -x node_modules/.bin/node ] || node -e 'process.exit(process.versions.node.split(".")[0] >= 24 ? 0 : 1)' ||
    fail "npm could not install its package \"node\" (are install scripts switched off?); allow it, or use Node.js 24 or newer"
  cp package-lock.json "$stamp"
}
