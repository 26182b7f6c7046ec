#!/usr/bin/env bash
# Runs every check of the project, or only the stages named. The cheap ones go first; the first failure ends it.
#
#   scripts/test.sh [STAGE…]        scripts/test.sh --list
set -euo pipefail
# shellcheck source=scripts/artifacts.sh
. "$(dirname "${BASH_SOURCE[0]}")/artifacts.sh"
# shellcheck source=scripts/tools.sh
. "$(dirname "${BASH_SOURCE[0]}")/tools.sh"

stages=(shell format licences sbom artifacts no-std clippy docs unit doctests metal models dist fresh)

# in_workspaces FUNCTION: calls FUNCTION FOLDER TARGET in each workspace's folder, with its own target folder.
in_workspaces() {
    local folder all
    mapfile -t all < <(workspaces)
    for folder in "${all[@]}"; do
        say "workspace $folder"
        cd "$root/$folder"
        if [ "$folder" = . ]; then CARGO_TARGET_DIR=$target_dir; else CARGO_TARGET_DIR=$target_dir/$(basename "$folder"); fi
        export CARGO_TARGET_DIR
        "$1" "$folder" "$(workspace_target "$folder")"
    done
}

check_shell() {
    cd "$root"
    # Every tracked or new script of ours, wherever it lies; what is not ours is under target/.
    mapfile -t scripts < <(find . \( -name target -o -name .git \) -prune -o \( -name '*.sh' -o -path './.ci/run' \) -type f -print)
    shellcheck -x "${scripts[@]}"
}

check_format() {
    in_workspaces format_workspace
    cd "$root"
    loose_sources | xargs rustfmt --edition 2024 --check --color never
}
format_workspace() { cargo fmt --all --check -- --color never; }

# Advisories are not checked: their database is a git repository, which needs a network that a build may not have.
check_licences() { in_workspaces licences_workspace; }
licences_workspace() {
    "$cargo_deny" --manifest-path Cargo.toml --workspace --config "$root/deny.toml" check licenses bans sources
}

check_sbom() {
    mkdir -p "$root/target/sbom"
    in_workspaces sbom_workspace
}
sbom_workspace() {
    local bill described locked
    bill=$root/target/sbom/$(workspace_name "$1").spdx.json
    "$cargo_sbom" sbom --output-format spdx_json_2_3 >"$bill"
    described=$(grep -c '"versionInfo"' "$bill" || true)
    locked=$(grep -c '^\[\[package\]\]' Cargo.lock)
    say "$bill: $described packages, of $locked locked"
    [ "$described" -gt 0 ] || fail "the bill of materials of $1 is empty"
}

# Built and not only checked: code generation finds what checking does not (128-bit floats, missing intrinsics).
# Unoptimised, which halves the time, since nobody runs it; but sha2's vector code makes LLVM fail at level 0
# on a target without vector registers ("Do not know how to split the result of this operator").
check_no_std() {
    local packages=() arguments=() name
    cd "$root"
    mapfile -t packages < <(no_std_packages)
    for name in hallows-abi hallows-kernel hallows-engine; do
        [[ " ${packages[*]} " == *" $name "* ]] || fail "$name does not say #![no_std]; it must run on a bare machine"
    done
    for name in "${packages[@]}"; do arguments+=(-p "$name"); done
    say "for $metal_target: ${packages[*]}"
    CARGO_TARGET_DIR=$target_dir/no-std toolchain_cargo "$metal_target" build "${arguments[@]}" \
        --config 'profile.dev.opt-level=0' --config 'profile.dev.package."*".opt-level=0' \
        --config 'profile.dev.package.sha2.opt-level=1' --config 'profile.dev.debug=false'
}

check_clippy() { in_workspaces clippy_workspace; }
clippy_workspace() {
    if [ "$2" = "$host_target" ]; then
        # All in one folder: most dependencies are the same, and looked at once.
        CARGO_TARGET_DIR=$target_dir cargo clippy --workspace --all-targets -- -D warnings
    else
        # No test targets: the test harness needs std.
        toolchain_cargo "$2" clippy --workspace -- -D warnings
    fi
}

check_docs() { in_workspaces docs_workspace; }
docs_workspace() {
    export RUSTDOCFLAGS="-D warnings"
    if [ "$2" = "$host_target" ]; then
        CARGO_TARGET_DIR=$target_dir cargo doc --workspace --no-deps
    else
        toolchain_cargo "$2" doc --workspace --no-deps
    fi
}

# cargo_profile FOLDER: how a workspace's tests are built. The compiler's as itself: most of both is Cranelift, which takes minutes.
cargo_profile() { if [ "$1" = compiler ]; then say release; else say dev; fi; }

check_unit() { in_workspaces unit_workspace; }
unit_workspace() {
    # A bare machine's code runs in the `metal` stage.
    [ "$2" = "$host_target" ] || return 0
    # What only is a rival has none, and takes minutes to build for nothing.
    grep -rqs --include='*.rs' --exclude-dir=target '#\[test\]' "$root/$1" || return 0
    local profile=default how
    [ -z "${FUZZ:-}" ] || profile=long
    how=$(cargo_profile "$1")
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --workspace --cargo-profile "$how" --no-tests=pass --no-fail-fast \
            --tool-config-file "hallows:$root/scripts/nextest.toml" --profile "$profile"
    else
        cargo test --workspace --profile "$how" --lib --bins --tests --no-fail-fast
    fi
}

check_doctests() { in_workspaces doctests_workspace; }
doctests_workspace() {
    [ "$2" = "$host_target" ] || return 0
    # cargo refuses --doc where no package is a library.
    [[ $(cargo metadata --no-deps --format-version 1) == *'"kind":["lib"]'* ]] || return 0
    cargo test --workspace --profile "$(cargo_profile "$1")" --doc
}

run_stage() {
    case $1 in
        shell) stage shell "shellcheck over every script" check_shell ;;
        format) stage format "rustfmt over every workspace" check_format ;;
        licences) stage licences "licences, bans and sources of every dependency (advisories need a network: not checked)" check_licences ;;
        sbom) stage sbom "bills of materials in target/sbom" check_sbom ;;
        artifacts) stage_artifacts && stage_unix ;;
        no-std) stage no-std "abi, kernel, engine and whoever says no_std, built for $metal_target" check_no_std ;;
        clippy) stage clippy "lints of every target of every workspace, warnings are errors" check_clippy ;;
        docs) stage docs "documentation, warnings are errors" check_docs ;;
        unit) stage unit "tests of every workspace" check_unit ;;
        doctests) stage doctests "examples in the documentation" check_doctests ;;
        models)
            if [ -f "$root/assurance/run.sh" ]; then
                stage models "model checks, loom, simulated machines, fuzzing (assurance/run.sh)" "$root/assurance/run.sh"
            else skip models "assurance/run.sh is not there"; fi ;;
        metal)
            if [ -f "$root/machines/metal/test.sh" ]; then
                stage metal "the bare-metal machine boots in QEMU" env CARGO_TARGET_DIR="$target_dir/metal" "$root/machines/metal/test.sh"
            else skip metal "machines/metal/test.sh is not there"; fi ;;
        dist)
            # Everything is built once more, static.
            if [ -z "$asked" ]; then skip dist "make dist does it, in some minutes more"
            else stage dist "one static executable that runs alone (scripts/dist.sh)" "$root/scripts/dist.sh"; fi ;;
        fresh)
            # It builds everything once more, from nothing.
            if [ -z "$asked" ]; then skip fresh "make fresh does it, in some minutes more"
            else stage fresh "make run and set-up on a fresh image (scripts/fresh.sh)" "$root/scripts/fresh.sh"; fi ;;
        *) fail "there is no stage '$1'; stages are: ${stages[*]}" ;;
    esac
}

if [ "${1:-}" = --list ]; then
    printf '%s\n' "${stages[@]}"
    exit 0
fi
asked=$*
[ $# -gt 0 ] || set -- "${stages[@]}"
for name in "$@"; do
    [[ " ${stages[*]} " == *" $name "* ]] || fail "there is no stage '$name'; stages are: ${stages[*]}"
done
"$root/scripts/setup.sh" test
select_host_rust # set-up may have installed a newer one
# A machine that builds once gains nothing from incremental compilation and pays for it in disk and time.
[ -z "${CI:-}" ] || export CARGO_INCREMENTAL=0
for name in "$@"; do run_stage "$name"; done
stage_summary
