# Finds what there is to build: workspaces, crates without std, example programs. No list to keep.
# shellcheck shell=bash
# Sourced. Every function prints one path a line, relative to the root.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

manifests() {
    (cd "$root" && find . \( -name target -o -name '.?*' \) -prune -o -name Cargo.toml -print) | sed 's|^\./||' | sort
}

# Folders that hold a `[workspace]`; the root's is ".".
workspaces() {
    manifests | while read -r manifest; do
        if grep -q '^\[workspace\]' "$root/$manifest"; then dirname "$manifest"; fi
    done
}

# Rust files that no workspace builds, since they become part of another's crate.
loose_sources() { (cd "$root" && printf '%s\n' compiler/patch/*.rs); }

# workspace_target FOLDER: the target that a workspace's code runs on.
workspace_target() {
    case $1 in
        machines/metal) say "$metal_target" ;;
        *) say "$host_target" ;;
    esac
}

# workspace_name FOLDER: a name for files about it.
workspace_name() {
    if [ "$1" = . ]; then say hallows; else say "hallows-${1//\//-}"; fi
}

# package_name MANIFEST
package_name() {
    awk '/^\[/ { inside = ($0 == "[package]") }
         inside && /^name *=/ { gsub(/.*= *"|".*/, ""); print; exit }' "$root/$1"
}

# says_of_itself KEY: manifests on standard input whose `[package.metadata.hallows]` has `KEY = true`, as their folders.
says_of_itself() {
    while read -r manifest; do
        if awk -v key="$1" '/^\[/ { inside = ($0 == "[package.metadata.hallows]") }
                inside && $0 ~ "^" key " *= *true" { found = 1 }
                END { exit !found }' "$root/$manifest"; then
            dirname "$manifest"
        fi
    done
}

# Programs: `program = true`, anywhere below programs/ or services/.
programs() { manifests | { grep -E '^(programs|services)/.*/Cargo.toml$' || true; } | says_of_itself program; }

# Those of them that have threads: `threads = true`.
threaded_programs() { manifests | { grep -E '^(programs|services)/.*/Cargo.toml$' || true; } | says_of_itself threads; }

# Policies in Rust: `policy = true`, anywhere below examples/.
policies() { manifests | { grep -E '^examples/.*/Cargo.toml$' || true; } | says_of_itself policy; }

# Packages of the root workspace that say `#![no_std]`, so they promise to build for the bare machine.
# What lies on the other side of `abi` (programs and their SDK) is built for WebAssembly instead.
no_std_packages() {
    manifests | grep -v -E '^(programs|sdk)/' | while read -r manifest; do
        local folder=${manifest%/Cargo.toml}
        case $folder in compiler* | machines/metal*) continue ;; esac
        if [ -f "$root/$folder/src/lib.rs" ] && grep -q '^#!\[.*no_std' "$root/$folder/src/lib.rs"; then
            package_name "$manifest"
        fi
    done
}
