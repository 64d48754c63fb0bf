#!/bin/sh
# Installs what is needed, once, and brings the whole of Tidemark up. Arguments go to `tidemark up`.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
# shellcheck source=install.sh
. "$root/install.sh"
(cd "$root" && install_packages)
# From here on the folder is the caller's: `--data DIR` means what it says there.
exec "$root/tidemark" up "$@"
