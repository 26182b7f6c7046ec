# The steps of a build, in their order: compiler, example programs, `hallows` itself, bare-metal machine.
# shellcheck shell=bash
# Sourced; each function is one stage.
# shellcheck source=scripts/toolchain.sh
. "$(dirname "${BASH_SOURCE[0]}")/toolchain.sh"
# shellcheck source=scripts/discover.sh
. "$(dirname "${BASH_SOURCE[0]}")/discover.sh"
# shellcheck source=scripts/stage.sh
. "$(dirname "${BASH_SOURCE[0]}")/stage.sh"
# shellcheck source=scripts/unix/programs.sh
. "$(dirname "${BASH_SOURCE[0]}")/unix/programs.sh"

# publish FROM TO: puts an artefact in its place, untouched if it is the same, so that
# `hallows/build.rs` does not embed again what did not change.
publish() {
    cmp -s "$1" "$2" && return 0
    mkdir -p "$(dirname "$2")"
    # Renamed into place: a build that runs beside this one never reads half a file.
    cp "$1" "$2.new" && mv "$2.new" "$2"
}

build_compiler() {
    local what=(--bin hallows-compiler)
    # With the tests that follow: their features are Cranelift's as well, and it is compiled once, not twice.
    [ -z "${CI:-}" ] || what=(--workspace --all-targets)
    cd "$root/compiler"
    CARGO_TARGET_DIR=$target_dir/compiler cargo build --release "${what[@]}"
    publish "$target_dir/compiler/release/hallows-compiler" "$artifacts/hallows-compiler"
}

# What a program with threads is built with, beside what all are: atomics, and a memory that its threads share. That has a declared maximum, which is
# here all that there is: how much it may have its cell says. With an installed target `core` and `alloc` come without atomics; linked as one piece
# (`lto`, as the profile has it) they are compiled with the program's features all the same.
thread_flags='-C target-feature=+atomics,+bulk-memory -C link-arg=--shared-memory -C link-arg=--max-memory=4294967296 -C link-arg=--export=__stack_pointer'

# Programs are plain libraries, so that the same source links in natively; only here they become
# WebAssembly modules. `cargo rustc`, which can say so, takes one package at a time. They share one
# target folder, so that all but the first cost their own compilation only.
build_programs() {
    local folder name package output done=0 all kept threaded
    export CARGO_TARGET_DIR=$target_dir/programs
    mapfile -t all < <(programs)
    threaded=$(threaded_programs)
    for folder in "${all[@]}"; do
        name=$(basename "$folder")
        package=$(package_name "$folder/Cargo.toml")
        done=$((done + 1))
        say "program $done of ${#all[@]}: $name"
        cd "$root/$folder"
        if [[ $'\n'$threaded$'\n' == *$'\n'$folder$'\n'* ]]; then
            # Compiled with other features, all of it: in a folder of its own.
            CARGO_TARGET_DIR=$target_dir/programs/threads CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS=$thread_flags \
                toolchain_cargo "$program_target" rustc --lib --crate-type cdylib --profile program
            output=$CARGO_TARGET_DIR/threads/$program_target/program/${package//-/_}.wasm
        else
            toolchain_cargo "$program_target" rustc --lib --crate-type cdylib --profile program
            output=$CARGO_TARGET_DIR/$program_target/program/${package//-/_}.wasm
        fi
        [ -f "$output" ] || fail "$folder did not give $output. Has it a [lib] with another name? It must have none."
        publish "$output" "$artifacts/programs/$name.wasm"
    done
    # A program that is gone must not live on inside `hallows`.
    for kept in "$artifacts"/programs/*.wasm; do
        [[ " ${all[*]##*/} " == *" $(basename "$kept" .wasm) "* ]] || rm -f "$kept"
    done
}

# Policies alike. They are not embedded: a user's are files, too.
build_policies() {
    local folder package output all
    export CARGO_TARGET_DIR=$target_dir/programs
    mapfile -t all < <(policies)
    for folder in "${all[@]}"; do
        package=$(package_name "$folder/Cargo.toml")
        cd "$root/$folder"
        toolchain_cargo "$program_target" rustc --lib --crate-type cdylib --profile program
        output=$CARGO_TARGET_DIR/$program_target/program/${package//-/_}.wasm
        [ -f "$output" ] || fail "$folder did not give $output. Has it a [lib] with another name? It must have none."
        publish "$output" "$artifacts/policies/${package#hallows-}.wasm"
    done
}

build_hallows() {
    cd "$root"
    cargo build --release -p hallows
}

# The machine has its own way of building, which its test uses, too.
build_metal() { CARGO_TARGET_DIR=$target_dir/metal "$root/machines/metal/build.sh"; }

# Rivals that cannot be linked into `hallows` are workspaces of their own below bench/; `hallows bench`
# starts them from the target folder beside its own.
build_rivals() {
    local folder
    for folder in $(workspaces | grep '^bench/'); do
        cd "$root/$folder"
        CARGO_TARGET_DIR=$target_dir/$(basename "$folder") cargo build --release
    done
}

# A real program that nobody here wrote, for tests and benches: uutils' coreutils, as WebAssembly with WASI. Its features are those that uutils
# builds for that target.
coreutils_version=0.12.0
build_unix() {
    install_coreutils "$target_dir/unix" --target "$unix_target"
    # An example, as its users would build it: with nothing of ours.
    rustc --edition 2024 --target "$unix_target" -O -o "$target_dir/unix/bin/echo.wasm" "$root/examples/unix-echo/src/main.rs"
}

# The command of the engine that ours is built on, with what a start needs of it: what `hallows run` is compared with.
wasmtime_version=48.0.8
build_wasmtime() {
    cd "$target_dir"
    CARGO_TARGET_DIR=$target_dir/wasmtime/build cargo install wasmtime-cli --version "=$wasmtime_version" --locked \
        --root "$target_dir/wasmtime" --no-default-features --features run,compile,cranelift,wat
}

# The same natively: what it is compared with.
build_unix_rival() { install_coreutils "$target_dir/unix-native"; }

# install_coreutils FOLDER OPTIONS…: into FOLDER/bin.
install_coreutils() {
    local folder=$1
    shift
    # From a place without our own cargo settings, which are for programs of hallows.
    cd "$target_dir"
    local how=optimised again=()
    # Where nobody measures, it need not be the quickest.
    if [ -n "${CI:-}" ]; then
        how=quickly
        export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1
    fi
    # Cargo does not look at that: an installed one counts as made.
    [ "$(cat "$folder/made" 2>/dev/null)" = "$how" ] || again=(--force)
    CARGO_TARGET_DIR=$folder/build cargo install coreutils --version "=$coreutils_version" --locked --root "$folder" \
        --no-default-features --features feat_wasm "${again[@]}" "$@"
    say "$how" >"$folder/made"
}

stage_unix() {
    if has_target rustc "$unix_target"; then
        stage unix "coreutils $coreutils_version and an example for WASI, which tests run" build_unix
    else
        skip unix "no standard library for $unix_target here (rustup target add $unix_target): its tests are left out"
    fi
    stage_unix_programs unix-programs "Lua, SQLite and QuickJS for WASI, which tests run" build_unix_programs
}

# stage_unix_programs NAME WHAT COMMAND…: a stage that needs the compiler of C that comes by pip, and what fetches sources.
stage_unix_programs() {
    local missing=() tool
    for tool in python3 npm apt-get; do have "$tool" || missing+=("$tool"); done
    if [ "${#missing[@]}" -eq 0 ] || unix_programs_are_there; then
        stage "$@"
    else
        skip "$1" "no ${missing[*]} here, which fetch sources and compiler: tests and benches of these programs are left out"
    fi
}

# What `hallows` embeds; the stages that need it run this first.
stage_artifacts() {
    if [ -f "$root/compiler/Cargo.toml" ]; then
        stage compiler "WebAssembly compiler, a workspace of its own" build_compiler
    else
        skip compiler "compiler/Cargo.toml is not there"
    fi
    local count
    count=$(programs | wc -l)
    if [ "$count" -gt 0 ]; then
        stage programs "$count example programs to WebAssembly" build_programs
    else
        skip programs "no Cargo.toml below programs/ or services/ says program = true"
    fi
    stage policies "example policies to WebAssembly" build_policies
}
