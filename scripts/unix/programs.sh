# Real programs of C that nobody here wrote, for tests and benches: Lua, SQLite's shell, QuickJS; for WASI and natively, by the same compiler.
# shellcheck shell=bash
# Sourced. What they are built from stands in programs.lock; sources are built as they are, flags say what differs.
# shellcheck source=scripts/stage.sh
. "$(dirname "${BASH_SOURCE[0]}")/../stage.sh"

unix_here=$root/scripts/unix
unix_sources=$target_dir/unix-sources
unix_names=(lua sqlite quickjs)

# locked NAME COLUMN: from the lock file (2: version, 3: checksum, 4: file, 6: package).
locked() { awk -v name="$1" -v column="$2" '$1 == name { print $column }' "$unix_here/programs.lock"; }

# The compiler, in an environment of its own: clang with the C libraries of both targets.
unix_compiler() {
    local folder=$tools_dir/zig wanted
    wanted=$(locked zig 2)
    if [ "$("$folder/bin/python" -m ziglang version 2>/dev/null)" != "$wanted" ]; then
        have python3 || fail "the compiler of Unix programs comes as a Python package; python3 is not here"
        say "installing ziglang $wanted"
        python3 -m venv "$folder"
        "$folder/bin/pip" install --quiet --disable-pip-version-check "ziglang==$wanted"
    fi
    zig=("$folder/bin/python" -m ziglang)
}

# unix_source NAME: the unpacked source in unix_sources/NAME, fetched if it is not there.
unix_source() {
    local name=$1 file sum folder=$unix_sources/$1
    file=$(locked "$name" 4)
    sum=$(locked "$name" 3)
    [ "$(cat "$folder/.sum" 2>/dev/null)" != "$sum" ] || return 0
    mkdir -p "$unix_sources"
    if ! unix_intact "$file" "$sum"; then
        say "fetching $file"
        rm -rf "$unix_sources/fetching-$name"
        mkdir -p "$unix_sources/fetching-$name"
        (cd "$unix_sources/fetching-$name" && "fetch_$(locked "$name" 5)" "$(locked "$name" 6)" "$file")
        mv "$unix_sources/fetching-$name/$file" "$unix_sources/$file" || fail "$file was not to be had"
        unix_intact "$file" "$sum" || fail "$unix_sources/$file has another checksum than scripts/unix/programs.lock says"
    fi
    rm -rf "$folder"
    mkdir -p "$folder"
    tar -xzf "$unix_sources/$file" -C "$folder" --strip-components 1 && say "$sum" >"$folder/.sum"
}

unix_intact() { say "$2  $unix_sources/$1" | sha256sum --check --status 2>/dev/null; }

# fetch_… PACKAGE FILE: puts FILE into the current folder.
fetch_crates() {
    local name=${1%@*} version=${1#*@}
    mkdir src
    : >src/lib.rs
    printf '[package]\nname = "fetching"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\n%s = "=%s"\n[workspace]\n' "$name" "$version" >Cargo.toml
    cargo fetch --quiet
    cp "${CARGO_HOME:-$HOME/.cargo}"/registry/cache/*/"$2" .
}

fetch_npm() {
    npm pack --silent "$1" >/dev/null
    tar -xzf ./*.tgz --strip-components 2 "package/deps/$2"
}

# With lists of its own: those of the host, as sources, are neither changed nor needed.
fetch_debian() {
    local apt=(apt-get -qq -o Acquire::Retries=3 -o "Dir::Etc::SourceList=$PWD/list" -o Dir::Etc::SourceParts=/dev/null
        -o "Dir::State::Lists=$PWD/lists" -o "Dir::Cache=$PWD/cache")
    mkdir -p lists/partial cache/archives/partial
    # shellcheck disable=SC2016 # The names between parentheses are apt's.
    apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT) $(LABEL)' "Created-By: Packages" |
        awk '$4 == "Debian" && $3 == "main" { print "deb-src", $1, $2, $3 }' | sort -u >list
    "${apt[@]}" update
    "${apt[@]}" source --download-only "$1"
    [ -f "$2" ] || fail "Debian's $1 here is $(ls ./*.orig.tar.*), and not $2"
}

# unix_flags NAME TARGET: sets flags and files (TARGET is wasi or native).
unix_flags() {
    local source=$unix_sources/$1 part macro
    # Where nobody measures, they need not be the quickest.
    flags=("-O$(if [ -n "${CI:-}" ]; then say 1; else say 2; fi)")
    files=()
    case $1 in
    lua)
        for part in "$source"/src/*.c; do
            [ "${part##*/}" = luac.c ] || files+=("$part")
        done
        # setjmp by WebAssembly's exceptions, in the encoding of WebAssembly 3.0; and no names for temporary files.
        [ "$2" = native ] || flags+=(-mllvm -wasm-enable-sjlj -mllvm -wasm-use-legacy-eh=false -mexception-handling
            '-Dlua_tmpnam(name,failed)=((void)(name),(failed)=1)' -DLUA_TMPNAMBUFSIZE=1)
        ;;
    sqlite)
        files=("$source/sqlite3.c" "$source/shell.c")
        flags+=(-DSQLITE_THREADSAFE=0 -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_WAL)
        [ "$2" = native ] || flags+=(-DSQLITE_NOHAVE_SYSTEM -DSQLITE_OMIT_POPEN)
        ;;
    quickjs)
        for part in quickjs libregexp libunicode dtoa quickjs-libc qjs gen/repl gen/standalone; do
            files+=("$source/quickjs/$part.c")
        done
        # 1 MiB of the C library's own stack, as QuickJS' own build for WASI has.
        flags+=(-D_GNU_SOURCE -DQUICKJS_NG_BUILD -funsigned-char)
        [ "$2" = native ] || flags+=("-Wl,-z,stack-size=1048576")
        ;;
    esac
    if [ "$2" = native ]; then
        flags+=(-lm -lpthread)
    else
        flags+=(-target wasm32-wasi "-Wl,--strip-debug")
        for part in signal process-clocks mman getpid; do
            macro=${part//-/_}
            flags+=("-D_WASI_EMULATED_${macro^^}" "-lwasi-emulated-$part")
        done
        files+=("$unix_here/absent.c")
        [ "$1" != lua ] || files+=("$unix_here/longjmp-tag.s")
    fi
}

# unix_program NAME TARGET OUTPUT: builds it, if it is not there as the lock file and the flags say.
unix_program() {
    local name=$1 target=$2 output=$3 made flags files
    # A host that does not carry a source (another distribution, no network) goes without: tests and benches of it are left out, and say so.
    (unix_source "$name") || {
        say "$name is left out"
        return 0
    }
    unix_flags "$name" "$target"
    made="$(locked zig 2) $(locked "$name" 3) ${flags[*]} $(cat "$unix_here"/absent.c "$unix_here"/longjmp-tag.s | sha256sum)"
    [ "$(cat "$output.made-of" 2>/dev/null)" != "$made" ] || return 0
    say "building $name $(locked "$name" 2) ($target)"
    mkdir -p "$(dirname "$output")"
    "${zig[@]}" cc -w "${files[@]}" "${flags[@]}" -o "$output.new"
    mv "$output.new" "$output"
    say "$made" >"$output.made-of"
}

# Whether the compiler and all sources are there already.
unix_programs_are_there() {
    local name
    [ -x "$tools_dir/zig/bin/python" ] || return 1
    for name in "${unix_names[@]}"; do
        [ "$(cat "$unix_sources/$name/.sum" 2>/dev/null)" = "$(locked "$name" 3)" ] || return 1
    done
}

build_unix_programs() { build_all_for wasi "$target_dir/unix/bin" .wasm; }

# What they are compared with.
build_unix_programs_rivals() { build_all_for native "$target_dir/unix-native/bin" ""; }

# build_all_for TARGET FOLDER SUFFIX: all at once, since most of the time goes to one large file of each.
build_all_for() {
    local name job jobs=()
    unix_compiler
    for name in "${unix_names[@]}"; do
        unix_program "$name" "$1" "$2/$name$3" &
        jobs+=($!)
    done
    for job in "${jobs[@]}"; do wait "$job"; done
}
