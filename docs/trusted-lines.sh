#!/usr/bin/env bash
# Counts the lines that each promise of docs/threat-model.md rests on: code without blank lines, comments and tests.
#
#   docs/trusted-lines.sh          a table in Markdown
#
# Dependencies are counted where cargo has put their sources (`cargo metadata`), whole: also what our features leave out. So their
# figures are upper bounds.
# shellcheck disable=SC2016  # back-ticks in single quotes are Markdown
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# count FILTER PATH…: lines of code below the paths, without files whose path matches FILTER.
count() {
    local filter=$1
    shift
    find "$@" -type f \( -name '*.rs' -o -name '*.isle' \) -print0 |
        { grep -zvE "(^|/)(tests|benches|examples|proofs)/|/(tests|test_support|races|hostile)\.rs$|$filter" || true; } |
        xargs -0 -r awk '
            FNR == 1 { in_tests = 0; pending = 0 }
            in_tests { next }
            # A test module is the last thing in a file.
            /^#\[cfg\((all\()?test/ { pending = 1; next }
            pending && /^(#\[|$)/ { next }
            pending { pending = 0; if (/^(pub(\(crate\))? )?mod [a-z_]+ \{/) { in_tests = 1 } ; next }
            /^[ \t]*(\/\/|;|$)/ { next }
            { lines++ }
            END { print lines + 0 }' | awk '{ sum += $1 } END { print sum + 0 }'
}

# Where cargo keeps a package of a workspace: package WORKSPACE NAME VERSION. Nothing if it is not there.
package() {
    cargo metadata --format-version 1 --locked --offline --manifest-path "$1/Cargo.toml" 2>/dev/null |
        grep -oE "\"manifest_path\":\"[^\"]*/($2-$3|patched/$2)/Cargo.toml\"" | head -n 1 | sed 's/.*:"\(.*\)\/Cargo.toml"/\1/'
}

# version WORKSPACE NAME: the highest that is locked.
version() {
    awk -v name="$2" '$1 == "name" { found = ($3 == "\"" name "\"") } $1 == "version" && found { gsub(/"/, "", $3); print $3 }' \
        "$1/Cargo.lock" | sort -V | tail -n 1
}

# row WHAT LINES
row() { printf '| %s | %s |\n' "$1" "$2"; }

# packages WORKSPACE FILTER NAME…: one row for each package of others; their sum is added to `sum`.
packages() {
    local workspace=$1 filter=$2 name version place lines
    shift 2
    for name in "$@"; do
        version=$(version "$workspace" "$name")
        place=$(package "$workspace" "$name" "$version")
        if [ -z "$place" ]; then
            row "$name $version" "not downloaded: \`cargo fetch --manifest-path $workspace/Cargo.toml\`"
            continue
        fi
        lines=$(count "$filter" "$place/src")
        sum=$((sum + lines))
        row "$name $version" "$lines"
    done
}

echo '| ours | lines |'
echo '|---|---|'
row '`abi`' "$(count '^$' abi/src)"
row '`kernel`' "$(count '^$' kernel/src)"
row '`engine`' "$(count '^$' engine/src)"
row '`policy`' "$(count '^$' policy/src)"
row '`compiler/artifact` (on both sides)' "$(count '^$' compiler/artifact/src)"
row '`machines/linux/src/machine`, `platform`' "$(count '^$' machines/linux/src/machine machines/linux/src/platform)"
row '`machines/linux/src/services`' "$(count '^$' machines/linux/src/services)"
row '`machines/linux/src/host`: jail' "$(count '^$' machines/linux/src/host/jail)"
row '`machines/linux/src/host`: the rest' "$(count '/jail/' machines/linux/src/host)"
row '`compiler/normalise`, `patch`, `cranelift`, `cache`, `protocol`' "$(count '^$' compiler/normalise/src compiler/patch compiler/cranelift/src compiler/cache/src compiler/protocol/src)"
row '`sdk/rust`, `services/supervisor` (linked in)' "$(count '^$' sdk/rust/src services/supervisor/src)"
row '`wasi`, `interface/wire`, `interface/system` (linked in)' "$(count '^$' wasi/src interface/wire/src interface/system/src)"

echo
echo '| wasmtime, in the machine | lines |'
echo '|---|---|'
sum=0
packages . '^$' wasmtime wasmtime-environ wasmtime-internal-core wasmtime-internal-unwinder \
    cranelift-entity cranelift-bitset cranelift-bforest
row 'together' "$sum"

echo
echo '| Cranelift and what reads programs, in the compiler process | lines |'
echo '|---|---|'
sum=0
# Code for other processors is never built.
packages compiler '/isa/(aarch64|riscv64|s390x|pulley[a-z0-9_]*)/' wasmparser wasmtime-internal-cranelift \
    cranelift-codegen cranelift-codegen-shared cranelift-codegen-meta cranelift-control cranelift-frontend cranelift-native \
    cranelift-assembler-x64 cranelift-assembler-x64-meta cranelift-isle cranelift-srcgen regalloc2
row 'together' "$sum"
