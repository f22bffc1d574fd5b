#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The checkers that find more the longer they run: a third of the time each for the
# fuzzers, the interleavings and mutants, with seeds that are new each time.
#
#     scripts/soak.sh SECONDS
set -euo pipefail

cd "$(dirname "$0")/.."
readonly PROGRAMS="tests/schedule_test-hooked tests/schedule_devices_test-hooked
    tests/schedule_parts_test-hooked tests/schedule_spaces_test-hooked
    tests/parallel_test"
readonly third=$((${1:?usage: scripts/soak.sh SECONDS} / 3))
seed=$(date +%s)
failed=0

interleavings()
{
    local end=$((SECONDS + third)) runs=0 log=build/soak.log n program

    # shellcheck disable=SC2086
    ninja -C build --quiet $PROGRAMS || return 1
    while [ $SECONDS -lt $end ]; do
        seed=$((seed + 1))
        : > $log
        for program in $PROGRAMS; do
            UIOMMU_SEED=$seed UIOMMU_ROUNDS=4 "build/$program" >> $log 2>&1 &&
                continue
            grep -A 2 ERROR $log || tail -n 20 $log
            printf '%s: UIOMMU_SEED=%s UIOMMU_ROUNDS=4\n' "$program" "$seed"
            return 1
        done
        n=$(sed -n 's/^# \([0-9]*\) executions.*/\1/p' $log | paste -sd+)
        runs=$((runs + n))
    done
    printf 'interleavings: %s executions, 0 findings\n' "$runs"
    [ "$runs" -gt 0 ]
}

make --no-print-directory configured
scripts/fuzz.sh $third || failed=1
interleavings || failed=1
python3 scripts/mutants.py --seed "$seed" --seconds $third || failed=1
exit $failed
