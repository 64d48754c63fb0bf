#!/bin/sh
# Installs what is needed, once, and brings the whole of Tidemark up. Arguments go to `tidemark up`.
set -eu
cd "$(dirname "$0")"
. ./install.sh
install_packages
exec ./tidemark up "$@"
