#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The tests under the address and undefined-behaviour sanitizers, with clang, in
# build-asan. For want of time, without names, those are left out that are the same
# once more with interrupts remapped, on snapshots, with models that cache nothing, or
# with every store seen; scripts, which start nothing that is sanitized; and the
# catalogues, which want all; and each test has an eighth of its machines, but what reads
# hostile bytes reads all of them: that is what sanitizers are for.
set -euo pipefail

cd "$(dirname "$0")/.."
readonly dir=build-asan
readonly hostile='^fuzz_|^(fw|iort)_test$'

if [ ! -f $dir/build.ninja ]; then
    log=$(CC=clang meson setup $dir -Db_sanitize=address,undefined -Doptimization=1 \
        -Db_lundef=false) || { echo "$log"; exit 1; }
fi
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
if [ $# -eq 0 ]; then
    mapfile -t names < <(python3 tests/run.py --list $dir |
        grep -vE -- '-(remapping|snapshots.*|none|hooked)$|^catalogues$' |
        grep -vFx "$(basename -s .py -a tests/checks/*_test.py)")
    set -- "${names[@]}"
fi
mapfile -t targets < <(python3 tests/run.py --targets $dir "$@")
ninja -C $dir --quiet "${targets[@]}"
status=0
if [ -n "${names:-}" ]; then
    printf '%s\n' "${names[@]}" | grep -E "$hostile" | xargs python3 tests/run.py $dir ||
        status=1
    mapfile -t names < <(printf '%s\n' "${names[@]}" | grep -vE "$hostile")
    set -- "${names[@]}"
    export UIOMMU_SHARE=8
fi
python3 tests/run.py $dir "$@" || status=1
exit $status
