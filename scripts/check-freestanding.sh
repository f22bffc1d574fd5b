#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Are the library and the models freestanding? They are compiled with nothing but
# the compiler's own headers, for four architectures, with gcc and clang, at -O0, -O2
# and -Os; linked into one object; and that object
#
#     - lacks no symbol but memcpy, memmove, memset and memcmp, the four that a
#       compiler may call by itself (no libgcc either: no 64-bit division, no
#       outlined atomics);
#     - has nothing writable.
#
#     scripts/check-freestanding.sh [--root DIR] [COMPILER ARCH LEVEL]
#
# for instance: scripts/check-freestanding.sh gcc i386 -O2
set -euo pipefail

# Where compilers call libgcc, and all levels: what else depends on the level, such as a
# loop that becomes a call of strlen, does not depend on the architecture. The longest
# come first.
readonly TARGETS="gcc i386 -O2
clang i386 -O2
clang riscv64 -Os
gcc riscv64 -Os
gcc i386 -O0
clang i386 -O0
gcc aarch64 -O0
clang aarch64 -O0
gcc x86_64 -O0"
readonly ALLOWED=" memcpy memmove memset memcmp "

self=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
root=$(dirname "$(dirname "$self")")
if [ "${1:-}" = --root ]; then
    root=$(cd "$2" && pwd)
    shift 2
fi
cd "$root"

# The compiler with its options for a target, and the linker that fits.
command_of()
{
    local arch=$2

    case $1 in
    gcc)
        case $arch in
        x86_64) printf 'gcc -m64' ;;
        i386) printf 'gcc -m32 -march=i686' ;;
        aarch64) printf 'aarch64-linux-gnu-gcc -mno-outline-atomics' ;;
        riscv64) printf 'riscv64-linux-gnu-gcc' ;;
        esac
        ;;
    clang)
        case $arch in
        x86_64) printf 'clang --target=x86_64-linux-gnu' ;;
        i386) printf 'clang --target=i686-linux-gnu' ;;
        aarch64) printf 'clang --target=aarch64-linux-gnu %s' \
            -mno-outline-atomics ;;
        # Else clang puts its constants among the small writable data.
        riscv64) printf 'clang --target=riscv64-linux-gnu %s' \
            -msmall-data-limit=0 ;;
        esac
        ;;
    esac
}

linker_of()
{
    case $1 in
    x86_64) printf 'ld -m elf_x86_64' ;;
    i386) printf 'ld -m elf_i386' ;;
    *) printf '%s-linux-gnu-ld' "$1" ;;
    esac
}

headers_of()
{
    case $1 in
    clang*) printf '%s/include' "$(clang -print-resource-dir)" ;;
    *) ${1%% *} -print-file-name=include ;;
    esac
}

# What a readelf listing on standard input has against the rules.
judge()
{
    awk -v allowed="$ALLOWED" '
        # Sections: name, type, address, offset, size, entry size, flags.
        /^ *\[ *[0-9]+\]/ {
            sub(/^ *\[ */, "")
            number = $0 + 0
            sub(/^[0-9]+\] */, "")
            if ($7 ~ /W/ && $7 ~ /A/ && $5 !~ /^0+$/) {
                writable[number] = $1
                bad = 1
            }
        }
        # Symbols: number, value, size, type, binding, visibility, index, name.
        /^ *[0-9]+: / && NF >= 8 {
            if ($7 == "UND" && index(allowed, " " $8 " ") == 0) {
                print "undefined: " $8
                bad = 1
            } else if ($7 == "COM") {
                print "writable: " $8 " (common)"
                bad = 1
            } else if ($7 in writable && $4 != "SECTION") {
                print "writable: " $8 " in " writable[$7]
                named[$7] = 1
            }
        }
        END {
            for (number in writable)
                if (!(number in named))
                    print "writable: section " writable[number]
            exit bad
        }'
}

check_one()
{
    local compiler=$1 arch=$2 level=$3 cc headers objects=() source object
    local problems
    local work status=0

    work=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    cc=$(command_of "$compiler" "$arch")
    headers=$(headers_of "$cc")
    # gcc's own limits.h wants to go on with the system's: give it an empty one.
    mkdir "$work/last"
    : > "$work/last/limits.h"
    for source in $(cat src/sources.txt model/sources.txt); do
        object=$work/${source//\//_}.o
        # shellcheck disable=SC2086
        $cc $level -std=c11 -ffreestanding -fno-common -fno-pic -fno-pie \
            -fno-stack-protector -nostdinc -Wno-psabi \
            -Werror=implicit-function-declaration \
            -isystem "$headers" -isystem "$work/last" \
            -Iinclude -Isrc -I. -c "$source" -o "$object" || status=1
        objects+=("$object")
    done
    if [ $status -eq 0 ]; then
        # shellcheck disable=SC2046
        $(linker_of "$arch") -r -o "$work/all.o" "${objects[@]}" || status=1
    fi
    if [ $status -eq 0 ]; then
        problems=$(LC_ALL=C readelf -W -S -s "$work/all.o" | judge) || status=1
    fi
    if [ $status -ne 0 ]; then
        printf '%s %s %s: not freestanding\n' "$compiler" "$arch" "$level"
        [ -z "${problems:-}" ] || printf '%s\n' "$problems" | sed 's/^/    /'
    fi
    return $status
}

if [ $# -eq 3 ]; then
    check_one "$@"
elif [ $# -eq 0 ]; then
    xargs -P "$(nproc)" -L 1 "$self" --root "$root" <<< "$TARGETS"
else
    printf 'usage: %s [--root DIR] [COMPILER ARCH LEVEL]\n' "$0" >&2
    exit 2
fi
