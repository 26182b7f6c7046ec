# Shared by the scripts beside it: where things are, how to speak, which host Rust is used.
# shellcheck shell=bash disable=SC2034
# Sourced, never run (so its variables look unused here). It sets variables, functions and RUSTUP_TOOLCHAIN only.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Cargo's output; each workspace and target has its own folder below, so that none rebuilds another's.
target_dir=${CARGO_TARGET_DIR:-$root/target}
# Fixed, whatever the target folder is: `.cargo/config.toml` names the same place to `hallows/build.rs`.
artifacts=${HALLOWS_ARTIFACTS:-$root/target/artifacts}
tools_dir=$root/target/tools
logs_dir=$root/target/logs
host_target=x86_64-unknown-linux-gnu
metal_target=x86_64-unknown-none
program_target=wasm32-unknown-unknown
unix_target=wasm32-wasip1

say() { printf '%s\n' "$*"; }
fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# at_least HAVE WANT: whether version HAVE is WANT or newer.
at_least() { [ "$(printf '%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# rustc_version RUSTC: "1.95.0", or nothing if it does not run.
rustc_version() { { "$1" --version 2>/dev/null || true; } | awk '{ print $2 }'; }

# The oldest compiler that builds us (`rust-version` of the workspace).
minimum_rust() { sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$root/Cargo.toml"; }

# Leaves the user's default tool chain alone: where it is too old, the minimum's own tool chain
# (installed by setup.sh) is selected for these scripts only.
select_host_rust() {
    local minimum version
    minimum=$(minimum_rust)
    version=$(rustc_version rustc)
    if [ -n "$version" ] && ! at_least "$version" "$minimum" && have rustup &&
        [[ $'\n'$(rustup toolchain list 2>/dev/null) == *$'\n'"$minimum"* ]]; then
        export RUSTUP_TOOLCHAIN=$minimum
    fi
}
select_host_rust
