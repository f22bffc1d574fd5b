#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The tests with several threads under the thread sanitizer, with clang, in
# build-tsan. tests/core/tsan.supp says what it cannot know. Each test has a seventh of
# its machines, formats or rounds: threads are the same in all. A process that ends while
# it has other threads would sleep a second first, to see what they do: those that tests
# fork are many, and their last thread does nothing.
set -euo pipefail

cd "$(dirname "$0")/.."
readonly dir=build-tsan
readonly programs="thread_test interleave_test parallel_test unconfirmed_test failure_test
    sleep_test pt_thread_test vtd_queue_test vtd_unit_test vtd_hostile_test
    mdev_emulated_test request_thread_test accel_thread_test gpu_test sva_thread_test
    process_event_test process_reuse_test process_sva_test sim_foreign_test"

if [ ! -f $dir/build.ninja ]; then
    log=$(CC=clang meson setup $dir -Dtests=true -Db_sanitize=thread \
        -Db_lundef=false -Doptimization=1) || { echo "$log"; exit 1; }
fi
# shellcheck disable=SC2046
ninja -C $dir --quiet $(printf 'tests/%s ' $programs)
export UIOMMU_SHARE=7
export TSAN_OPTIONS="halt_on_error=1 atexit_sleep_ms=10 suppressions=$PWD/tests/core/tsan.supp"
# shellcheck disable=SC2086
python3 tests/run.py $dir $programs
