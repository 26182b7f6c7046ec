#!/usr/bin/env bash
# Formats the code of every workspace.
set -euo pipefail
# shellcheck source=scripts/discover.sh
. "$(dirname "${BASH_SOURCE[0]}")/discover.sh"

(cd "$root" && loose_sources | xargs rustfmt --edition 2024)
workspaces | while read -r folder; do (cd "$root/$folder" && cargo fmt --all); done
