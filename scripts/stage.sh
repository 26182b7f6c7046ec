# Runs one step of a longer job: a line of progress, a log, the time it took, and the end if it fails.
# shellcheck shell=bash
# Sourced.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# How much of a failed step's log is shown at once; a compiler error with its notes fits.
failure_lines=60
stage_rows=()
stage_watcher=
stage_log=

now_us() { printf '%s' "${EPOCHREALTIME//[.,]/}"; }
seconds() { printf '%d.%d' $(($1 / 1000000)) $(($1 % 1000000 / 100000)); }

# On a terminal, the log's last line is shown while the step runs.
stage_watch() {
    local line columns
    columns=$(($(tput cols 2>/dev/null || printf 80) - 24))
    while sleep 0.3; do
        line=$(tail -c 2000 "$2" 2>/dev/null | tr '\r' '\n' | grep -v '^ *$' | tail -n 1)
        printf '\r\033[K  ....  %-14s %s' "$1" "${line:0:columns}"
    done
}
stage_unwatch() {
    [ -n "$stage_watcher" ] || return 0
    kill "$stage_watcher" 2>/dev/null || true
    wait "$stage_watcher" 2>/dev/null || true
    stage_watcher=
    printf '\r\033[K'
}
trap stage_unwatch EXIT

# Who runs out of patience with a step learns what it was doing.
stage_cut_off() {
    stage_unwatch
    if [ -n "$stage_log" ]; then
        printf '  FAIL  cut off; its whole log: %s\n\n' "$stage_log"
        tail -n "$failure_lines" "$stage_log" | sed 's/^/    /'
    fi
    exit 143
}
trap stage_cut_off TERM

# stage NAME WHAT COMMAND…: runs COMMAND (a function may be one) with its output in a log.
stage() {
    local name=$1 what=$2 log=$logs_dir/$1.log status start row
    shift 2
    mkdir -p "$logs_dir"
    : >"$log"
    stage_log=$log
    start=$(now_us)
    if [ -t 1 ]; then
        stage_watch "$name" "$log" &
        stage_watcher=$!
    else
        printf '  ....  %-14s %s\n' "$name" "$what"
    fi
    # A subshell outside any condition, because `set -e` is off inside `if` and `||`.
    set +e
    (set -e && "$@") >"$log" 2>&1 </dev/null
    status=$?
    set -e
    stage_unwatch
    stage_log=
    row=$(printf '%-14s %8s s  %s' "$name" "$(seconds $(($(now_us) - start)))" "$what")
    if [ "$status" -eq 0 ]; then
        stage_rows+=("ok    $row")
        printf '  ok    %s\n' "$row"
        return 0
    fi
    printf '  FAIL  %s\n\n' "$row"
    tail -n "$failure_lines" "$log" | sed 's/^/    /'
    printf '\n'
    stage_rows+=("FAIL  $row")
    stage_summary
    fail "stage '$name' failed (status $status); its whole log: $log"
}

# skip NAME WHY: a step that has nothing to do here, said aloud so that it is never missed silently.
skip() {
    local row
    row=$(printf 'skip  %-14s %8s    %s' "$1" - "$2")
    stage_rows+=("$row")
    printf '  %s\n' "$row"
}

stage_summary() {
    [ "${#stage_rows[@]}" -gt 1 ] || return 0
    mkdir -p "$logs_dir"
    printf '%s\n' "${stage_rows[@]}" >"$logs_dir/summary.txt"
    printf '\nSummary (kept in %s)\n' "${logs_dir#"$root"/}/summary.txt"
    printf '  %s\n' "${stage_rows[@]}"
    printf '  total %8s s\n' "$SECONDS"
}
