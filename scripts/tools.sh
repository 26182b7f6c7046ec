# The cargo commands that checks use and Rust does not bring: which, which version, why.
# shellcheck shell=bash
# Sourced. Versions are fixed: a tool's new opinion must come with a change of ours.
# shellcheck source=scripts/install.sh
. "$(dirname "${BASH_SOURCE[0]}")/install.sh"

# Licence, ban and source rules over the whole dependency graph.
deny_version=0.20.2
# A bill of materials of a workspace as one SPDX document on its output (others write beside every manifest).
sbom_version=0.10.0

cargo_deny=$tools_dir/cargo-deny-$deny_version/bin/cargo-deny
cargo_sbom=$tools_dir/cargo-sbom-$sbom_version/bin/cargo-sbom

install_tools() {
    [ ! -x "$cargo_deny" ] || [ ! -x "$cargo_sbom" ] || return 0
    # Without its default features cargo-deny leaves out what only fetching advisories needs.
    install_tool cargo-deny "$deny_version" --no-default-features
    install_tool cargo-sbom "$sbom_version"
    # Half a gigabyte that nothing reads again.
    rm -rf "$tools_dir/build"
}
