#!/bin/bash
# SPDX-License-Identifier: MIT
#
# All tests under the address and undefined-behaviour sanitizers, with clang, in
# build-asan.
set -euo pipefail

cd "$(dirname "$0")/.."
readonly dir=build-asan

if [ ! -f $dir/build.ninja ]; then
    log=$(CC=clang meson setup $dir -Db_sanitize=address,undefined \
        -Db_lundef=false) || { echo "$log"; exit 1; }
fi
ninja -C $dir --quiet
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
python3 tests/run.py $dir "$@"
