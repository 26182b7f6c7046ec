#!/usr/bin/env bash
# Makes target/dist: one static executable to copy to any Linux of this architecture, with checksums, licences and bills of materials.
#
#   scripts/dist.sh             builds, checks, and says where everything is
#   scripts/dist.sh --check     checks what is there: static, and runs where there is nothing else
#
# HALLOWS_DIST_PROFILE=quick builds without the long link, for trying this out.
set -euo pipefail
# shellcheck source=scripts/artifacts.sh
. "$(dirname "${BASH_SOURCE[0]}")/artifacts.sh"
# shellcheck source=scripts/tools.sh
. "$(dirname "${BASH_SOURCE[0]}")/tools.sh"

dist_dir=$root/target/dist
profile=${HALLOWS_DIST_PROFILE:-release}
# Folders of its own: other flags would make the ordinary build start anew.
static_dir=$target_dir/dist-build
static_artifacts=$target_dir/dist-artifacts
# The C library goes in as well. With a target that is named, build scripts and macros of the compiler stay as they are.
static_flags="-C target-feature=+crt-static"

# static_build FOLDER PROFILE ARGUMENTS…
static_build() {
    local folder=$1 kind=$2 upper
    shift 2
    upper=${kind^^}
    cd "$root/$folder"
    env "CARGO_TARGET_DIR=$static_dir/$(workspace_name "$folder")" "RUSTFLAGS=$static_flags" \
        "CARGO_PROFILE_${upper}_STRIP=symbols" "CARGO_PROFILE_${upper}_DEBUG=false" \
        cargo build --profile "$kind" --target "$host_target" "$@"
}

build_static_compiler() {
    static_build compiler release --bin hallows-compiler
    publish "$static_dir/$(workspace_name compiler)/$host_target/release/hallows-compiler" "$static_artifacts/hallows-compiler"
    mkdir -p "$static_artifacts/programs"
    rm -f "$static_artifacts"/programs/*.wasm
    cp "$artifacts"/programs/*.wasm "$static_artifacts/programs/"
}

build_static_hallows() {
    HALLOWS_ARTIFACTS=$static_artifacts static_build . "$profile" -p hallows --bin hallows
    mkdir -p "$dist_dir"
    publish "$static_dir/$(workspace_name .)/$host_target/$profile/hallows" "$dist_dir/hallows"
}

# What is linked in, with the terms that each part comes under.
write_bills() {
    local folder
    mkdir -p "$dist_dir/sbom"
    for folder in . compiler; do
        (cd "$root/$folder" && "$cargo_sbom" sbom --output-format spdx_json_2_3) >"$dist_dir/sbom/$(workspace_name "$folder").spdx.json"
    done
}

write_licences() {
    local folder manifest file
    cp "$root/LICENSE-APACHE" "$root/LICENSE-MIT" "$dist_dir/"
    for folder in . compiler; do
        (cd "$root/$folder" && cargo metadata --format-version 1 --locked --filter-platform "$host_target")
    done | grep -o '"manifest_path":"[^"]*/registry/[^"]*"' | cut -d '"' -f 4 | sort -u | while read -r manifest; do
        printf '\n==== %s ====\n' "$(basename "$(dirname "$manifest")")"
        for file in "${manifest%/*}"/{LICEN[CS]E,COPYING,NOTICE,UNLICENSE}*; do
            if [ -f "$file" ]; then printf -- '---- %s\n' "$(basename "$file")" && cat "$file"; fi
        done
    done >"$dist_dir/THIRD-PARTY-LICENCES.txt"
    [ -s "$dist_dir/THIRD-PARTY-LICENCES.txt" ] || fail "found no licences of dependencies"
}

write_checksums() {
    cd "$dist_dir"
    find . -type f ! -name SHA256SUMS -printf '%P\0' | sort -z | xargs -0 sha256sum >SHA256SUMS.new
    mv SHA256SUMS.new SHA256SUMS
}

# No interpreter and nothing to load: it starts where there is no C library. The compiler inside of it, too.
check_static() {
    local file headers
    for file in "$dist_dir/hallows" "$static_artifacts/hallows-compiler"; do
        headers=$(readelf --wide --program-headers --dynamic "$file")
        if grep -E 'INTERP|\(NEEDED\)' <<<"$headers"; then fail "$file is not static"; fi
        say "$file: no interpreter, no shared library, $(stat -c %s "$file") bytes"
    done
}

# In a root directory with nothing but the executable and what the kernel shows: the compiler has its turn, a system runs, and an executable
# that was built there runs without either.
check_alone() {
    local place
    place=$(mktemp -d)
    # shellcheck disable=SC2064 # The place is known now.
    trap "rmdir '$place' 2>/dev/null || true" EXIT
    # The mounts are gone with their namespace. Its shell expands what stands in quotes.
    # shellcheck disable=SC2016
    unshare --mount --propagation private bash -euo pipefail -c '
        mount -t tmpfs -o mode=755 tmpfs "$1"
        mkdir "$1"/{proc,sys,dev,tmp,run}
        cp "$2" "$1/hallows"
        for tree in proc sys dev; do mount --rbind "/$tree" "$1/$tree"; done
        place=$1
        # By its path: without variables nobody looks where it is.
        chroot=$(command -v chroot)
        alone() { env -i "${@:2}" "$chroot" "$place" $1; }
        alone "/hallows run calculator --tier shared --memory 64M" HOME=/tmp
        alone "/hallows build calculator -o /calculator --tier shared --memory 64M" HOME=/tmp
        # Neither a cache of compiled programs nor what built it.
        rm -r "$1/tmp/.cache" "$1/hallows"
        alone "/calculator --hallows-verify"
        alone "/calculator"
    ' dist "$place" "$dist_dir/hallows"
}

run_checks() {
    stage static "no interpreter, no shared library" check_static
    if [ "$(id -u)" -eq 0 ]; then
        stage alone "a system runs in a root directory with nothing else in it" check_alone
    else
        skip alone "only root makes a root directory of its own"
    fi
}

[ -z "${1:-}" ] || [ "$1" = --check ] || fail "usage: scripts/dist.sh [--check]"
if [ "${1:-}" = --check ]; then
    [ -f "$dist_dir/hallows" ] || fail "there is no $dist_dir/hallows; make dist builds it"
    run_checks
    exit 0
fi
"$root/scripts/setup.sh" build
install_tools
stage_artifacts
stage dist-compiler "the compiler, static" build_static_compiler
stage dist "hallows with it inside, static and optimised (its link takes longest)" build_static_hallows
stage bills "bills of materials" write_bills
stage terms "licences of all that is linked in" write_licences
run_checks
stage sums "SHA-256 of everything" write_checksums
stage_summary
printf '\n%s: %s bytes (%s), static\n%s\n' "${dist_dir#"$root"/}/hallows" "$(stat -c %s "$dist_dir/hallows")" \
    "$(numfmt --to=iec-i --suffix=B "$(stat -c %s "$dist_dir/hallows")")" "$(grep ' hallows$' "$dist_dir/SHA256SUMS")"
