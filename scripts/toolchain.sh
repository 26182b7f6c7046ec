#!/usr/bin/env bash
# Chooses, per target, who provides `core` and `alloc`: an installed target, or their source.
#
#   scripts/toolchain.sh TARGET                     say what was chosen, and the command it amounts to
#   scripts/toolchain.sh TARGET SUBCOMMAND ARGS…    run cargo so: scripts/toolchain.sh x86_64-unknown-none build -p hallows-abi
#
# Sourced, it offers `toolchain_select TARGET` and `toolchain_cargo TARGET SUBCOMMAND ARGS…`.
# What is installed already goes first, so nothing is downloaded twice: (1) the tool chain's own
# target; (2) the tool chain's `rust-src`; (3) Debian's rustc with its sources. (2) and (3) build
# `core` and `alloc` with cargo's -Zbuild-std, which stable compilers allow under RUSTC_BOOTSTRAP=1.
# HALLOWS_TOOLCHAIN=target|rust-src|debian insists on one of them.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Where Debian and Ubuntu put a packaged compiler.
debian_rustc=/usr/bin/rustc

# has_source RUSTC: whether the standard library's source lies in its sysroot.
has_source() { [ -d "$("$1" --print sysroot)/lib/rustlib/src/rust/library/core" ]; }

# has_target RUSTC TARGET: whether a compiled `core` for TARGET lies in its sysroot.
has_target() { compgen -G "$("$1" --print sysroot)/lib/rustlib/$2/lib/libcore-*.rlib" >/dev/null; }

debian_is_fit() {
    local version
    [ -x "$debian_rustc" ] || return 1
    version=$(rustc_version "$debian_rustc")
    [ -n "$version" ] && at_least "$version" "$(minimum_rust)" && has_source "$debian_rustc"
}

# The linker for targets without an operating system: the tool chain's own, else Debian's.
find_lld() {
    local beside_rustc
    beside_rustc=$(rustc --print sysroot)/lib/rustlib/$host_target/bin/rust-lld
    if [ -x "$beside_rustc" ]; then say "$beside_rustc"; else command -v rust-lld || true; fi
}

# toolchain_select TARGET: sets toolchain_kind, toolchain_words (for people), toolchain_environment and
# toolchain_flags. Fails, without a word, when nothing provides the target.
toolchain_select() {
    local target=$1 only=${HALLOWS_TOOLCHAIN:-any} lld
    toolchain_kind=''
    toolchain_words=''
    toolchain_environment=()
    toolchain_flags=(--target "$target")
    case $only in any | target | rust-src | debian) ;; *) fail "HALLOWS_TOOLCHAIN is '$only'; it may be target, rust-src or debian" ;; esac
    if [[ $only =~ ^(any|target)$ ]] && has_target rustc "$target"; then
        toolchain_kind=target
        toolchain_words="the target installed with rustc $(rustc_version rustc)"
        return 0
    fi
    if [[ $only =~ ^(any|rust-src)$ ]] && has_source rustc; then
        toolchain_kind=rust-src
        toolchain_words="core and alloc from the rust-src of rustc $(rustc_version rustc)"
    elif [[ $only =~ ^(any|debian)$ ]] && debian_is_fit; then
        toolchain_kind=debian
        toolchain_words="core and alloc from the sources of Debian's rustc $(rustc_version "$debian_rustc")"
        toolchain_environment+=(RUSTC="$debian_rustc" RUSTDOC="${debian_rustc%/rustc}/rustdoc")
    else
        return 1
    fi
    toolchain_environment+=(RUSTC_BOOTSTRAP=1)
    # `mem` provides memcpy and its kin, which on these targets no C library does.
    toolchain_flags+=("-Zbuild-std=core,alloc,compiler_builtins" -Zbuild-std-features=compiler-builtins-mem)
    lld=$(find_lld)
    if [ -n "$lld" ]; then
        local name=${target//-/_}
        toolchain_environment+=("CARGO_TARGET_${name^^}_LINKER=$lld")
    fi
}

# toolchain_cargo TARGET SUBCOMMAND ARGS…: cargo with what was selected. `cargo clippy` must come from
# the same place as rustc, because clippy is a compiler that reads its sysroot.
toolchain_cargo() {
    local target=$1 subcommand=$2
    shift 2
    toolchain_select "$target" || fail "nothing here builds for $target. \`make setup\` installs what is missing (wanted: ${HALLOWS_TOOLCHAIN:-any kind of tool chain})."
    if [ "$subcommand" = clippy ] && [ "$toolchain_kind" = debian ]; then
        # Unset, cargo-clippy would be told by an outer cargo to call it and so to mix two sysroots.
        env CARGO="$(command -v cargo)" "${toolchain_environment[@]}" \
            "${debian_rustc%/rustc}/cargo-clippy" clippy "${toolchain_flags[@]}" "$@"
    else
        env "${toolchain_environment[@]}" cargo "$subcommand" "${toolchain_flags[@]}" "$@"
    fi
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    [ $# -ge 1 ] || fail "which target? usage: scripts/toolchain.sh TARGET [SUBCOMMAND ARGS…]"
    if [ $# -gt 1 ]; then
        toolchain_cargo "$@"
    else
        toolchain_select "$1" || fail "nothing here builds for $1; \`make setup\` installs what is missing"
        say "$1: $toolchain_words"
        say "${toolchain_environment[*]} cargo build ${toolchain_flags[*]}"
    fi
fi
