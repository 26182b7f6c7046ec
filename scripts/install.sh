# Installs a missing thing: says what and why first, does it at once where it may, else says how.
# shellcheck shell=bash
# Sourced.
# shellcheck source=scripts/stage.sh
. "$(dirname "${BASH_SOURCE[0]}")/stage.sh"

wanted_packages=()

# want PACKAGE WHY: notes a Debian package that is missing.
want() {
    wanted_packages+=("$1")
    printf '  need  %-22s %s\n' "$1" "$2"
}

# Whether this user is root, or can become it: by sudo without a password, or with one asked for on the terminal.
may_be_root() { [ "$(id -u)" -eq 0 ] || { have sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; }; }
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

# Installs all wanted packages in one go. sudo may ask for a password, so it is asked before the log opens.
install_wanted() {
    [ "${#wanted_packages[@]}" -gt 0 ] || return 0
    local by_hand="sudo apt-get update && sudo apt-get install -y ${wanted_packages[*]}"
    have apt-get || fail "these packages are missing and this system has no apt-get: ${wanted_packages[*]}. Install what corresponds, then run make again."
    may_be_root || fail "these packages are missing, and this user is not root and has no sudo. Run as root, then make again:
    $by_hand"
    [ "$(id -u)" -eq 0 ] || sudo true || fail "sudo refused. Run, then make again: $by_hand"
    stage "apt" "installing ${wanted_packages[*]}" apt_install "${wanted_packages[@]}"
    wanted_packages=()
}

apt_install() {
    # A fresh image has no package lists at all; an old list names versions that are gone.
    as_root apt-get update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# install_tool CRATE VERSION FLAGS…: a cargo command of ours, at a fixed version, under target/tools.
# Unoptimised on purpose: they run for seconds, and this builds in a third of the time.
install_tool() {
    local crate=$1 version=$2
    shift 2
    local place=$tools_dir/$crate-$version
    [ ! -x "$place/bin/$crate" ] || return 0
    printf '  need  %-22s %s\n' "$crate $version" "built from crates.io into target/tools (1 to 2 minutes, once)"
    stage "$crate" "building $crate $version" env CARGO_TARGET_DIR="$tools_dir/build" CARGO_PROFILE_DEV_DEBUG=0 \
        cargo install --locked --debug --root "$place" "$@" "$crate@$version"
}
