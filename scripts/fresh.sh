#!/usr/bin/env bash
# Proves the set-up: this checkout on a fresh image of the host's own distribution that has only what the README asks for.
#
#   scripts/fresh.sh            make run twice, then set-up, scripts and format of make test
#   scripts/fresh.sh COMMAND…   that instead
#
# Needs root (a chroot in mount and process namespaces of its own, which end with it). The image lies in target/fresh.
set -euo pipefail
# shellcheck source=scripts/install.sh
. "$(dirname "${BASH_SOURCE[0]}")/install.sh"

fresh=$target_dir/fresh
image=$fresh/image
# What the README asks for, beside rustup: make, and the certificates that rustup was fetched with.
asked_for=make,ca-certificates
# A second `make run` builds nothing: what is left is looking at things, and the run itself.
quick_seconds=45

# The host's own archive: "SITE CODENAME", of its first package list.
archive() {
    # shellcheck disable=SC2016 # apt expands these
    apt-get indextargets --format '$(CREATED_BY) $(SITE) $(CODENAME) $(COMPONENT)' |
        awk '$1 == "Packages" && $4 == "main" { print $2, $3; exit }'
}

# The image in a tar file, so that a second run of this fetches nothing.
make_base() {
    local site codename
    read -r site codename < <(archive)
    [ -n "${codename:-}" ] || fail "apt names no archive here; run apt-get update"
    rm -rf "$image"
    debootstrap --variant=minbase --include="$asked_for" "$codename" "$image" "$site"
    # Security and updates, too, as the host has them.
    for list in sources.list sources.list.d/debian.sources sources.list.d/ubuntu.sources; do
        [ ! -s "/etc/apt/$list" ] || install -D -m 644 "/etc/apt/$list" "$image/etc/apt/$list"
    done
    tar -C "$image" -cf "$fresh/base.tar.new" .
    mv "$fresh/base.tar.new" "$fresh/base.tar"
}

unpack() {
    rm -rf "$image" "$fresh/upper" "$fresh/work"
    mkdir -p "$image" "$fresh/upper" "$fresh/work"
    tar -C "$image" -xf "$fresh/base.tar"
    # The checkout as it stands, without what was built.
    mkdir -p "$image/root/hallows"
    (cd "$root" && git ls-files -z --cached --others --exclude-standard) |
        (cd "$root" && tar --null --ignore-failed-read -cf - -T -) | tar -C "$image/root/hallows" -xf -
    # Rust as rustup has left it on the host; Cargo's caches are not of it.
    mkdir -p "$image/root/.cargo" "$image/root/.rustup"
    cp -a "${CARGO_HOME:-$HOME/.cargo}/bin" "$image/root/.cargo/"
    [ ! -f "${CARGO_HOME:-$HOME/.cargo}/config.toml" ] || cp "${CARGO_HOME:-$HOME/.cargo}/config.toml" "$image/root/.cargo/"
    # Certificates of the host's own, if its way to the registries needs some.
    cp -L /etc/ssl/certs/ca-certificates.crt "$image/etc/ssl/certs/" 2>/dev/null || true
    cp -L /etc/resolv.conf /etc/hosts "$image/etc/"
}

# inside COMMAND…: in the image, as its root. Writes to Rust's own folder stay in the image.
inside() {
    # shellcheck disable=SC2016 # the inner shell expands it
    unshare --mount --pid --fork bash -ec '
        image=$1 fresh=$2 rustup=$3
        shift 3
        mount --make-rprivate /
        for folder in dev sys; do mount --rbind "/$folder" "$image/$folder"; done
        mount -t proc proc "$image/proc"
        mount -t tmpfs tmpfs "$image/tmp"
        mount -t overlay overlay -o "lowerdir=$rustup,upperdir=$fresh/upper,workdir=$fresh/work" "$image/root/.rustup"
        cd "$image"
        exec chroot . /usr/bin/env -u CARGO_TARGET_DIR -u HALLOWS_ARTIFACTS -u RUSTUP_TOOLCHAIN -u RUSTUP_HOME -u CARGO_HOME \
            HOME=/root PATH=/root/.cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            bash -ec "cd /root/hallows && exec \"\$@\"" bash "$@"
    ' bash "$image" "$fresh" "${RUSTUP_HOME:-$HOME/.rustup}" "$@"
}

first_run() {
    inside make run | tee "$fresh/first.txt"
    grep -q "answers" "$fresh/first.txt" || fail "make run did not run the calculator"
}

second_run() {
    local begin=$SECONDS
    inside make run
    [ $((SECONDS - begin)) -le $quick_seconds ] || fail "a second make run took $((SECONDS - begin)) s: more than $quick_seconds"
}

[ "$(id -u)" -eq 0 ] || fail "a fresh image is a chroot: run this as root"
have debootstrap || want debootstrap "makes the fresh image"
install_wanted
mkdir -p "$fresh"
[ -s "$fresh/base.tar" ] || stage fresh-image "an image of $(archive | awk '{ print $2 }')" make_base
stage fresh-copy "this checkout and rustup on it" unpack
if [ $# -gt 0 ]; then
    inside "$@"
    exit
fi
stage fresh-run "make run there, which installs what it needs" first_run
stage fresh-again "make run once more, which is quick" second_run
stage fresh-test "the set-up of make test there" inside make test STAGES="shell format"
