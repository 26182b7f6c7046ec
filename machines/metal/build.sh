#!/usr/bin/env bash
# Builds the bare-metal machine and the archive of programs that it boots with.
#
#   machines/metal/build.sh           prints where both are
#
# The compiler and the example programs must have been built: `make artifacts`.
set -euo pipefail
# Where `make` and `test.sh` put it, too. Set before the scripts below look at it.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/target/metal}
# shellcheck source=scripts/toolchain.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/toolchain.sh"
metal=$root/machines/metal

# What the canary runs, and what the self-test needs besides.
programs=(calculator calculator-client)

kernel=$CARGO_TARGET_DIR/$metal_target/release/hallows-metal
archive=$CARGO_TARGET_DIR/programs.tar

[ -x "$artifacts/hallows-compiler" ] || fail "the compiler is not at $artifacts/hallows-compiler; \`make artifacts\` builds it"
files=("$metal"/selftest/*.wat)
for program in "${programs[@]}"; do
    file=$artifacts/programs/$program.wasm
    [ -f "$file" ] || fail "the program $program is not at $file; \`make artifacts\` builds it"
    files+=("$file")
done

cd "$metal"
toolchain_cargo "$metal_target" build --release
cd "$metal/image"
cargo run --release --quiet -- --compiler "$artifacts/hallows-compiler" --output "$archive" "${files[@]}"
say "machine:  $kernel"
say "programs: $archive"
