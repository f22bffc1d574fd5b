#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The checkers that find more the longer they run: a third of the time each for the
# fuzzers, the interleavings and mutants, with seeds that are new each time.
#
#     scripts/soak.sh SECONDS
set -euo pipefail

cd "$(dirname "$0")/.."
readonly third=$((${1:?usage: scripts/soak.sh SECONDS} / 3))
seed=$(date +%s)
failed=0

interleavings()
{
    local end=$((SECONDS + third)) runs=0 log=build/soak.log n

    ninja -C build --quiet tests/schedule_test-hooked \
        tests/schedule_devices_test-hooked tests/parallel_test ||
        return 1
    while [ $SECONDS -lt $end ]; do
        seed=$((seed + 1))
        if ! UIOMMU_SEED=$seed UIOMMU_ROUNDS=4 \
            build/tests/schedule_test-hooked > $log 2>&1 ||
            ! UIOMMU_SEED=$seed UIOMMU_ROUNDS=4 \
                build/tests/schedule_devices_test-hooked >> $log 2>&1 ||
            ! UIOMMU_ROUNDS=4 build/tests/parallel_test >> $log 2>&1; then
            grep -A 2 ERROR $log || tail -n 20 $log
            printf 'UIOMMU_SEED=%s UIOMMU_ROUNDS=4\n' "$seed"
            return 1
        fi
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
