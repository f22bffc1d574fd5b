#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Does each public header compile alone, and twice, as C11 and as C++11 and C++20,
# with gcc and clang? Does each private header of the library and the models
# compile alone as C11? Templates, named *.inc or fmt_*.h, do not have to.
#
#     scripts/check-headers.sh [--root DIR]
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
if [ "${1:-}" = --root ]; then
    root=$(cd "$2" && pwd)
fi
cd "$root"

readonly WARN="-Wall -Wextra -Wpedantic -Werror"
failed=0

# compile LANGUAGE COMPILER FLAGS NAME: includes <NAME> or "NAME" twice.
compile()
{
    local name=$4

    # shellcheck disable=SC2086
    if ! printf '#include %s\n#include %s\nint main(void) { return 0; }\n' \
            "$name" "$name" |
            $2 -x $1 $3 $WARN -fsyntax-only -Iinclude -; then
        printf '%s: does not compile alone: %s %s\n' "$name" "$2" "$3"
        failed=1
    fi
}

for header in include/uiommu/*.h; do
    name="<${header#include/}>"
    for compiler in gcc clang; do
        compile c $compiler -std=c11 "$name"
        compile c $compiler "-std=c11 -ffreestanding" "$name"
    done
    for compiler in g++ clang++; do
        compile c++ $compiler -std=c++11 "$name"
        compile c++ $compiler -std=c++20 "$name"
    done
done

while read -r header; do
    compile c gcc "-std=c11 -ffreestanding -Wno-unused -Isrc -I." \
        "\"${header#src/}\""
done < <(find src model -name '*.h' ! -name 'fmt_*.h' 2>/dev/null | sort)

exit $failed
