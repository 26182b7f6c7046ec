#!/usr/bin/env bash
# Makes target/patched/wasmtime-internal-cranelift, which compiler/Cargo.toml uses in place of the published crate: that crate's
# source with our preemption check (preemption.rs, where the reason stands; docs/decisions/0012-preemption-checks-of-our-own.md).
#
#   compiler/patch/apply.sh            makes it anew
#   compiler/patch/apply.sh --check    says by its status whether it is there and current
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../../scripts/lib.sh"

crate=wasmtime-internal-cranelift
version=$(sed -n 's/^wasmtime = .*"=\([0-9.]*\)".*/\1/p' "$root/compiler/Cargo.toml")
# The path that compiler/Cargo.toml names, whatever the target folder is.
patched=$root/target/patched/$crate

# Of what it was made; last of all, so that a copy that was not finished is not taken for one.
made_of() {
    say "$crate $version"
    cat "$here/apply.sh" "$here/preemption.rs"
}

if [ "${1:-}" = --check ]; then
    made_of | cmp -s - "$patched/made-of"
    exit
fi

# replace PATTERN REPLACEMENT FILE: in the one line that has PATTERN; another count means another source.
replace() {
    local count
    count=$(grep -c -- "$1" "$3" || true)
    [ "$count" -eq 1 ] || fail "$crate $version has $count lines with '$1' and not one; compiler/patch/apply.sh must be adapted to it"
    sed -i "s/$1/$2/" "$3"
}

# The rival that composes components uses the published crate, so its lock file names the source and its hash, which cargo checks.
manifest=$(cargo metadata --locked --format-version 1 --filter-platform "$host_target" --manifest-path "$root/bench/composed/Cargo.toml" |
    grep -o "\"manifest_path\":\"[^\"]*/$crate-$version/Cargo.toml\"" | sort -u | sed 's/^"manifest_path":"//; s/"$//')
[ -f "$manifest" ] || fail "cargo does not say where the source of $crate $version is; bench/composed/Cargo.toml must use that version of wasmtime"

new=$patched.new
rm -rf "$new"
mkdir -p "$(dirname "$new")"
cp -r "$(dirname "$manifest")" "$new"
chmod -R u+w "$new"
cp "$here/preemption.rs" "$new/src/func_environ/preemption.rs"
environment=$new/src/func_environ.rs
replace '^mod gc;$' 'mod gc;\nmod preemption;' "$environment"
# At the heads of loops; then at a function's entry, where theirs sets up what it keeps.
replace 'self\.epoch_check(builder);' 'self.preemption_check(builder);' "$environment"
replace 'self\.epoch_function_entry(builder);' 'self.preemption_check(builder);' "$environment"
# What is not called any more.
sed -i '1i // Changed by RustHallows: checks for interruption are made in preemption.rs.\n#![allow(dead_code)]' "$environment"
# No part of another workspace, and no code of ours to be formatted.
printf '\n[workspace]\n' >>"$new/Cargo.toml"
say 'disable_all_formatting = true' >"$new/rustfmt.toml"
made_of >"$new/made-of"
rm -rf "$patched"
mv "$new" "$patched"
