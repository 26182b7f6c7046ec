#!/usr/bin/env bash
# The proofs that need a build of their own: loom over every lock-free structure. Called by `make test`.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/loom"
RUSTFLAGS="--cfg loom" cargo test --quiet -p hallows-kernel --lib races
