#!/usr/bin/env bash
# Builds: everything that `hallows` is made of, or only the parts named.
#
#   scripts/build.sh [artifacts|hallows|rivals|metal]…     default: artifacts hallows
set -euo pipefail
"$(dirname "${BASH_SOURCE[0]}")/setup.sh" build
# shellcheck source=scripts/artifacts.sh
. "$(dirname "${BASH_SOURCE[0]}")/artifacts.sh"

[ $# -gt 0 ] || set -- artifacts hallows
for part in "$@"; do
    case $part in
        artifacts) stage_artifacts ;;
        hallows) stage hallows "the command, optimised (its link takes longest)" build_hallows ;;
        rivals)
            stage rivals "what hallows bench compares with and cannot link in" build_rivals
            stage_unix
            stage unix-native "the same natively, which it is compared with" build_unix_rival
            stage wasmtime "the wasmtime command $wasmtime_version, which hallows run is compared with" build_wasmtime
            stage_unix_programs unix-programs-native "the same natively, which they are compared with" build_unix_programs_rivals
            ;;
        metal) stage metal "the bare-metal machine" build_metal ;;
        *) fail "there is no part '$part'; parts are artifacts, hallows, rivals, metal" ;;
    esac
done
