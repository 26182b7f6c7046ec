#!/usr/bin/env bash
# Installs what a purpose needs and this machine lacks; says nothing and takes no time where nothing lacks.
#
#   scripts/setup.sh build    what `make build`, `make run` and `make bench` need
#   scripts/setup.sh test     that, and what `make test` needs
#
# There are no stamps to go stale: each thing is looked for, which takes a fraction of a second.
set -euo pipefail
# shellcheck source=scripts/toolchain.sh
. "$(dirname "${BASH_SOURCE[0]}")/toolchain.sh"
# shellcheck source=scripts/tools.sh
. "$(dirname "${BASH_SOURCE[0]}")/tools.sh"

# A target's download is some 30 MB; a network that drops packets instead of refusing must not hold us for ever.
download_limit=300

setup_host_rust() {
    local minimum version
    minimum=$(minimum_rust)
    have cargo || fail "there is no Rust here (no cargo in PATH). Install it with rustup, https://rustup.rs, then run make again."
    version=$(rustc_version rustc)
    if ! at_least "${version:-0}" "$minimum"; then
        have rustup || fail "rustc ${version:-(none)} is too old: $minimum or newer is needed, and there is no rustup to install it. See https://rustup.rs"
        printf '  need  %-22s %s\n' "rust $minimum" "rustc ${version:-(none)} is too old; your default tool chain stays as it is"
        stage rust "rustup toolchain install $minimum" rustup toolchain install "$minimum" --profile minimal -c rustfmt -c clippy
        export RUSTUP_TOOLCHAIN=$minimum
    fi
    # Rust needs a C linker and the C library's start files; a fresh Debian has neither.
    have cc || { want gcc "links every program (Rust calls cc)" && want libc6-dev "the C library that programs link to"; }
}

setup_component() {
    cargo "$1" --version >/dev/null 2>&1 && return 0
    have rustup || fail "cargo $1 is missing and there is no rustup to install it. See https://rustup.rs"
    printf '  need  %-22s %s\n' "$2" "make test runs cargo $1"
    stage "$2" "rustup component add $2" rustup component add "$2"
}

# Not a stage, because its failure is no end: there is another way. One failure says enough for all targets.
rustup_adds_target() {
    local log=$logs_dir/rustup-target.log
    [ -z "${rustup_is_offline:-}" ] || return 1
    mkdir -p "$logs_dir"
    say "  ....  rustup target add $1"
    if timeout "$download_limit" rustup target add "$1" >"$log" 2>&1 && toolchain_select "$1"; then return 0; fi
    rustup_is_offline=yes
    say "  rustup cannot download targets here (its words: ${log#"$root"/}); Debian's compiler and its sources do instead"
    return 1
}

# setup_target TARGET WHY: first rustup, which is smaller and builds faster; Debian's where rustup cannot.
setup_target() {
    local target=$1 why=$2 only=${HALLOWS_TOOLCHAIN:-any}
    toolchain_select "$target" && return 0
    if [[ $only =~ ^(any|target)$ ]] && have rustup; then
        printf '  need  %-22s %s\n' "target $target" "$why"
        if rustup_adds_target "$target"; then return 0; fi
    fi
    [[ $only =~ ^(any|debian)$ ]] || fail "HALLOWS_TOOLCHAIN=$only, and that cannot be installed for $target; leave it unset to try every way"
    needs_debian_rust=yes
}

# Debian keeps a current compiler as `rustc-web`; Ubuntu and newer Debians have it as `rustc`.
setup_debian_rust() {
    local names minimum
    minimum=$(minimum_rust)
    if debian_candidate_fits rustc-web; then
        names=(rustc-web rust-web-src rust-web-llvm)
    elif debian_candidate_fits rustc; then
        names=(rustc rust-src lld)
    else
        fail "no package of rustc $minimum or newer here, and rustup cannot add targets. Where the network allows it, run:
    rustup target add $program_target $metal_target"
    fi
    at_least "$(rustc_version "$debian_rustc")" "$minimum" || want "${names[0]}" "a compiler that comes with its library's source"
    has_source "$debian_rustc" 2>/dev/null || want "${names[1]}" "source of core and alloc, built for $program_target and $metal_target"
    [ -n "$(find_lld)" ] || want "${names[2]}" "the linker for them"
}

# Whether apt knows PACKAGE in a version that is new enough; asks its servers if it knows no version at all.
debian_candidate_fits() {
    local candidate
    have apt-cache || return 1
    candidate=$(apt-cache policy "$1" 2>/dev/null | awk '/Candidate:/ { print $2 }')
    if { [ -z "$candidate" ] || [ "$candidate" = "(none)" ]; } && [ -z "${lists_are_fresh:-}" ] && may_be_root; then
        say "  need  package lists           to see which compiler this system offers (apt-get update)"
        as_root apt-get update >/dev/null || return 1
        lists_are_fresh=yes
        candidate=$(apt-cache policy "$1" 2>/dev/null | awk '/Candidate:/ { print $2 }')
    fi
    [ -n "$candidate" ] && [ "$candidate" != "(none)" ] && at_least "$candidate" "$(minimum_rust)"
}

setup_build() {
    needs_debian_rust=
    setup_host_rust
    setup_target "$program_target" "example programs run as WebAssembly"
    setup_target "$metal_target" "the same kernel and engine build for a bare machine"
    [ -z "$needs_debian_rust" ] || setup_debian_rust
}

# Only for programs that test us: what cannot be had is left out, aloud.
setup_unix() {
    if has_target rustc "$unix_target" || ! have rustup || [[ ${HALLOWS_TOOLCHAIN:-any} == debian ]]; then return 0; fi
    printf '  need  %-22s %s\n' "target $unix_target" "tests run a program of Unix"
    rustup_adds_target "$unix_target" || true
}

setup_test() {
    setup_build
    setup_unix
    setup_component fmt rustfmt
    setup_component clippy clippy
    have shellcheck || want shellcheck "checks our shell scripts"
    # Their packages start them as services of this host, too; tests start their own, on other ports.
    have redis-server || want redis-server "a rival that tests of hallows demo measure (Debian also starts it as a service)"
    have memcached || want memcached "another (likewise)"
    have redis-check-rdb || want redis-tools "the key-value server is compared with it"
    have curl || want curl "gets files of the web server in tests"
    if [ -f "$root/machines/metal/test.sh" ]; then
        have qemu-system-x86_64 || want qemu-system-x86 "boots the bare-metal machine"
    fi
    # Clippy is a compiler of its own and must match the rustc that the bare-metal machine is built with.
    if [ "$toolchain_kind" = debian ] || [ -n "$needs_debian_rust" ]; then
        if [ ! -x "${debian_rustc%/rustc}/cargo-clippy" ]; then
            if debian_candidate_fits rustc-web; then
                want rust-web-clippy "lints the bare-metal machine with Debian's compiler"
            else
                want rust-clippy "lints the bare-metal machine with Debian's compiler"
            fi
        fi
    fi
}

case ${1:-} in
    build) setup_build ;;
    test) setup_test ;;
    *) fail "usage: scripts/setup.sh build|test" ;;
esac
install_wanted
"$root/compiler/patch/apply.sh" --check || stage patch "the compiler's preemption checks, into wasmtime's source" "$root/compiler/patch/apply.sh"
for target in "$program_target" "$metal_target"; do
    toolchain_select "$target" || fail "set-up ended, yet nothing builds for $target; please report this with the output of: scripts/toolchain.sh $target"
done
[ "$1" = build ] || install_tools
