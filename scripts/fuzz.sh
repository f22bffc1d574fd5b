#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Runs the fuzzers, with clang, in build-fuzz:
#
#     scripts/fuzz.sh SECONDS [TARGET...]    that long in all
#
# Says for each target how many inputs were run, what they covered, and what was
# found; inputs that broke something are in build-fuzz/findings. Inputs that reach
# more are kept in build-fuzz/corpus, and are where the next run begins.
set -euo pipefail

cd "$(dirname "$0")/.."
readonly dir=build-fuzz
seconds=${1:?usage: scripts/fuzz.sh SECONDS [TARGET...]}
shift
[ $# -gt 0 ] || set -- accel api dmar explain iort lines pci plan smmuv3 start tables vtd

build()
{
    local log flags=-fsanitize=fuzzer-no-link,address,undefined

    if [ ! -f $dir/build.ninja ]; then
        log=$(CC=clang CFLAGS="$flags -fno-sanitize-recover=undefined" \
            LDFLAGS=-fsanitize=address,undefined meson setup $dir \
            -Dfuzz=true -Db_lundef=false) || { echo "$log"; return 1; }
    fi
    ninja -C $dir --quiet $(printf 'fuzz/fuzz_%s ' "$@")
}

# Runs target $1 for $2 seconds; fails if it found something.
run()
{
    local target=$1 seconds=$2 log=$dir/$1.log found status=0
    local seeds=(fuzz/corpus/"$1")

    [[ $target != dmar && $target != iort ]] || seeds+=(tests/corpus/acpi)
    [ "$target" != lines ] || seeds+=(tests/corpus/faults)
    [ "$target" != plan ] || seeds+=(tests/corpus/pci/surface-book-2)
    [ ! -f fuzz/"$target".dict ] || seeds+=(-dict=fuzz/"$target".dict)
    mkdir -p $dir/corpus/"$target" $dir/findings
    touch $dir/"$target".began
    $dir/fuzz/fuzz_"$target" -max_total_time="$seconds" -timeout=10 \
        -rss_limit_mb=2048 -max_len=8192 -print_final_stats=1 -verbosity=1 \
        -artifact_prefix=$dir/findings/"$target"- $dir/corpus/"$target" \
        "${seeds[@]}" > "$log" 2>&1 || status=$?
    found=$(find $dir/findings -name "$target-*" -newer $dir/"$target".began |
        wc -l)
    printf '%-8s %s executions, %s, %s findings\n' "$target" \
        "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
        "$(sed -n 's/.*\(cov: [0-9]* ft: [0-9]*\).*/\1/p' "$log" | tail -n 1)" \
        "$found"
    if [ $status -ne 0 ]; then
        grep -E 'SUMMARY|broken:|runtime error' "$log" || tail -n 20 "$log"
    fi
    return $status
}

build "$@"
failed=0
for target in "$@"; do
    run "$target" $((seconds / $# > 0 ? seconds / $# : 1)) || failed=1
done
exit $failed
