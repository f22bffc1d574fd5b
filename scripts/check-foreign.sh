#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The unit tests on other architectures, under qemu-user: 32 bits (i686), big-endian
# (s390x), and those with weaker memory, which otherwise are what x86-64 is.
#
#     scripts/check-foreign.sh [i686|s390x|aarch64|riscv64]...
#
# Programs are linked statically, so no foreign system is needed. cmocka and cJSON are
# not packaged for all of these: both are a single file, and compiled from Debian's
# source packages, which apt gets from the archive it is configured with.
set -euo pipefail

cd "$(dirname "$0")/.."
# shellcheck source=scripts/install-deps.sh
. scripts/install-deps.sh

unset CC_LD # each architecture has a linker of its own, or has not: cross_file()
export UIOMMU_SHARE=17 # what differs here does not differ by mode or format

readonly dir=$PWD/build-foreign
readonly sources=$dir/sources

# Not run here, beside what is no program: these need QEMU's machines or the models as
# a shared library, or read nothing but text.
readonly LEFT_OUT="qtest_test scenario_test irq_test adoption_test neighbours_test bridge_test
    abi_test toy-vmm lines_test lines_smmuv3_test"

# Those of several CPUs, which are for machines whose memory is weaker than that of
# x86-64; besides these machines get only what changes tables and queues.
readonly THREADS="thread_test pt_thread_test parallel_test litmus_test"
readonly ORDERED="$THREADS interleave_test pt_random_test map_test set_test vtd_queue_test"

# apt_here COMMAND...: apt-get that knows the sources of this release, with lists of
# its own: the machine's configuration stays as it is.
apt_here()
{
    apt_get -o Dir::Etc::SourceList="$dir/sources.list" \
        -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$dir/lists" \
        -o APT::Sandbox::User=root "$@"
}

sources_list()
{
    local release uri found file key

    release=$(codename)
    while read -r uri found file; do
        [ "$found" = "$release" ] || continue
        key=$(keyring "$file" "$uri")
        printf 'deb-src %s%s %s main\n' "${key:+[signed-by=$key] }" "$uri" \
            "$release"
        return
    done < <(archives)
    die "apt has no Debian mirror for '$release'"
}

fetch_sources()
{
    [ ! -d "$sources" ] || return 0
    mkdir -p "$dir/lists/partial" "$sources.new"
    sources_list > "$dir/sources.list"
    apt_here update
    (cd "$sources.new" && apt_here source --download-only cmocka cjson)
    for archive in "$sources.new"/*.orig.tar.*; do
        [ "${archive##*.}" = asc ] || tar -C "$sources.new" -xf "$archive"
    done
    mv "$sources.new" "$sources"
}

emulator() { printf 'qemu-%s-static' "${1/i686/i386}"; }
compiler() { printf '%s-linux-gnu-gcc' "$1"; }

# Where the package `name` is for the architecture: headers, one library.
package()
{
    local arch=$1 name=$2 library=$3 source=$4 include=$5

    shift 5
    "$(compiler "$arch")" -O1 -w -c "$@" -I"$include" "$source" \
        -o "$dir/$arch/$library.o"
    "$arch-linux-gnu-ar" rcs "$dir/$arch/lib$library.a" "$dir/$arch/$library.o"
    printf 'Name: %s\nDescription: for tests\nVersion: 1\nLibs: -L%s -l%s\n' \
        "$name" "$dir/$arch" "$library" > "$dir/$arch/$name.pc"
    printf 'Cflags: -isystem %s\n' "$include" >> "$dir/$arch/$name.pc"
}

packages()
{
    local arch=$1 config="" name

    for name in INTTYPES_H MALLOC_H SIGNAL_H STRINGS_H STRUCT_TIMESPEC \
        SIGLONGJMP STRSIGNAL GCC_THREAD_LOCAL_STORAGE CLOCK_REALTIME; do
        config="$config -DHAVE_$name=1"
    done
    mkdir -p "$dir/$arch"
    # shellcheck disable=SC2086
    package "$arch" cmocka cmocka "$(echo "$sources"/cmocka-*/src/cmocka.c)" \
        "$(echo "$sources"/cmocka-*/include)" $config
    mkdir -p "$dir/include/cjson"
    cp "$sources"/cJSON-*/cJSON.h "$dir/include/cjson/"
    cp "$sources"/cJSON-*/cJSON.h "$dir/include/"
    package "$arch" libcjson cjson "$(echo "$sources"/cJSON-*/cJSON.c)" \
        "$dir/include"
}

cross_file()
{
    local arch=$1 family=$1 endian=little gold

    gold=$(command -v "$arch-linux-gnu-ld.gold" || true) # links in half the time
    [ "$arch" != s390x ] || endian=big
    [ "$arch" != i686 ] || family=x86
    cat << EOF
[binaries]
c = '$(compiler "$arch")'
ar = '$arch-linux-gnu-ar'
strip = '$arch-linux-gnu-strip'
${gold:+c_ld = 'gold'}
pkgconfig = 'pkg-config'
exe_wrapper = '$(emulator "$arch")'
[built-in options]
c_link_args = ['-static']
[properties]
pkg_config_libdir = '$dir/$arch'
[host_machine]
system = 'linux'
cpu_family = '$family'
cpu = '$arch'
endian = '$endian'
EOF
}

setup()
{
    local arch=$1 log level=1

    [ "$arch" != i686 ] || level=0 # most machines run it themselves
    [ ! -f "$dir/$arch/build/build.ninja" ] || return 0
    packages "$arch"
    cross_file "$arch" > "$dir/$arch/cross.ini"
    log=$(meson setup "$dir/$arch/build" --cross-file "$dir/$arch/cross.ini" \
        -Dtests=true -Doptimization=$level -Ddebug=false) ||
        { echo "$log"; return 1; }
}

is_among()
{
    case " ${2//[[:space:]]/ } " in
    *" $1 "*) ;;
    *) return 1 ;;
    esac
}

# Targets of the tests to run on the architecture, tests/NAME or fuzz/NAME, without
# those that are the same tests once more.
chosen()
{
    local name

    python3 tests/run.py --list "$dir/$1/build" | while read -r name; do
        ! is_among "$name" "$LEFT_OUT" || continue
        case $name in
        *_test-*) continue ;;
        esac
        case $1 in
        aarch64 | riscv64) is_among "$name" "$ORDERED" || continue ;;
        *) ! is_among "$name" "$THREADS" || continue ;;
        esac
        echo "tests/$name"
        echo "fuzz/$name"
    done | grep -Fxf <(ninja -C "$dir/$1/build" -t targets all | cut -d: -f1)
}

check()
{
    local arch=$1 targets wrapper

    setup "$arch"
    mapfile -t targets < <(chosen "$arch")
    ninja -C "$dir/$arch/build" --quiet "${targets[@]}"
    printf '%s: %s suites, the others left out\n' "$arch" "${#targets[@]}"
    wrapper=(--wrapper "$(emulator "$arch")")
    if "$dir/$arch/build/tests/pci_test" > /dev/null 2>&1; then
        wrapper=() # this machine can
    fi
    python3 tests/run.py "${wrapper[@]}" "$dir/$arch/build" "${targets[@]#*/}"
}

[ $# -gt 0 ] || set -- i686 s390x aarch64 riscv64
fetch_sources
for arch in "$@"; do
    check "$arch"
done
