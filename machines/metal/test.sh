#!/usr/bin/env bash
# Builds the bare-metal machine, boots it in QEMU in every way that it can be booted, and looks at what it says and how it ends.
#
#   machines/metal/test.sh            everything
#   machines/metal/test.sh boot WORD  one boot with this command line, its console on this terminal
set -euo pipefail
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/target/metal}
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
metal=$root/machines/metal
kernel=$CARGO_TARGET_DIR/$metal_target/release/hallows-metal
archive=$CARGO_TARGET_DIR/programs.tar

# How the machine ends: QEMU's status for the codes of src/exit.rs.
success=33 failure=35 panic=37
# A boot that takes longer hangs; the longest takes a few seconds on a machine that has nothing else to do.
boot_seconds=45

# One core, because the first slice has no more; every processor feature that QEMU can emulate.
qemu=(qemu-system-x86_64 -machine q35 -accel tcg -smp 1 -display none -no-reboot -net none -serial stdio
    -device 'isa-debug-exit,iobase=0xf4,iosize=0x04' -kernel "$kernel")
default=(-cpu max -m 256 -initrd "$archive")

# boot WORDS [QEMU OPTION…]: boots with WORDS as command line and answers when a line is asked for. Sets output and status.
boot() {
    local words=$1 line input
    shift
    [ $# -gt 0 ] || set -- "${default[@]}"
    output='' status=0
    coproc QEMU { exec timeout "$boot_seconds" "${qemu[@]}" "$@" -append "$words" 2>&1; }
    # Bash forgets the descriptors when the process ends, so both are kept apart.
    exec {from_qemu}<&"${QEMU[0]}" {input}>&"${QEMU[1]}"
    local process=$QEMU_PID
    while IFS= read -r line <&"$from_qemu"; do
        output+=${line%$'\r'}$'\n'
        case $line in *'type a line'*) printf 'hello, machine\n' >&"$input" ;; esac
    done
    exec {from_qemu}<&- {input}>&-
    wait "$process" || status=$?
}

# expect NAME STATUS PATTERN…: what the last boot must have ended with, and lines that it must have printed.
expect() {
    local name=$1 wanted=$2 pattern
    shift 2
    [ "$status" -ne 124 ] || complain "$name: did not end within $boot_seconds s"
    [ "$status" -eq "$wanted" ] || complain "$name: ended with status $status instead of $wanted"
    for pattern in "$@"; do
        grep -qE -- "$pattern" <<<"$output" || complain "$name: did not print /$pattern/"
    done
    say "ok: $name"
}

complain() {
    printf '%s\n' "$output" >&2
    fail "$1; its whole output is above"
}

if [ "${1:-}" = boot ]; then
    shift
    exec "${qemu[@]}" "${default[@]}" -append "$*"
fi

"$metal/build.sh"

# The parts that need no machine.
cd "$metal"
cargo test --quiet --package hallows-metal-memory --target "$host_target"

boot run
expect "two programs call each other" $success \
    'server is Passive' 'server is Active' '1 \+ 2 = 3' '7 answers, all of them right'
[ "$(grep -c 'all of them right' <<<"$output")" -eq 2 ] || complain "the client was not content both times"

boot selftest
expect "the machine checks itself" $success 'a line typed is a line read \("hello, machine"' '^selftest: 17 of 17 passed$'
grep '^selftest: ok' <<<"$output"

# Each way to break the machine ends it, with the reason.
breakages=(
    'panic|a panic, as asked for'
    "stack-overflow|a store to 0x[0-9a-f]+, the guard page of one of the machine's own stacks"
    'fiber-overflow|a store to 0x[0-9a-f]+, .* a guard page, if a stack ends there'
    'null-pointer|a store to 0x0, next to the null pointer'
    "write-code|a store to 0xffffffff8[0-9a-f]+, in the machine's own image"
    "run-heap|running code at 0xffffc[0-9a-f]+, in the heap's window"
    'run-program-data|running code at 0x1[0-9a-f]+, a page of a program'
    'non-canonical|general protection fault'
)
for breakage in "${breakages[@]}"; do
    boot "break=${breakage%%|*}"
    expect "broken: ${breakage%%|*}" $panic "${breakage#*|}"
done

# What a user can get wrong is told.
boot nonsense
expect "an unknown option" $failure '"nonsense" is none of: run, selftest, break=panic'
boot run -cpu max -m 256
expect "no programs" $failure 'given no files; boot with -initrd'
boot run -cpu max -m 256 -initrd "$kernel"
expect "an archive that is none" $failure 'no tar archive|has no file seal.key'
boot run -cpu qemu64 -m 256 -initrd "$archive"
expect "an old processor" $panic 'this processor has no ssse3'
boot break=panic -cpu max -m 5G
expect "memory above 4 GiB" $panic '^hallows: 51[0-9][0-9] MiB of memory'
boot run -cpu max -m 16 -initrd "$archive"
expect "too little memory" $failure 'memory budget exhausted'
