#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Instructions per unit of work, exact, by callgrind: what does not depend on how
# busy the machine is. usage: bench/instructions.sh [build/uiommu [ROW...]]
# FORMATS="vtd_ss vmsa_s1_4k": these instead of all
set -eu

uiommu=${1:-build/uiommu}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- map_single_4k unmap_single_4k map_bulk_4k \
    unmap_bulk_4k map_2m unmap_2m walk_hot walk_random_1g pair_sparse_4096
formats=${FORMATS:-$("$uiommu" bench --help | sed -n 's/^Formats:\(.*\) process$/\1/p')}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

printf '%-20s %-12s %s\n' row format instructions
for row in "$@"; do
    timed=timed_$row
    case $row in walk_*) timed=timed_walk ;; esac
    for format in $formats; do
        valgrind --tool=callgrind --callgrind-out-file="$out/callgrind" \
            --collect-atstart=no --toggle-collect="$timed" \
            "$uiommu" bench --rows "$row" --formats "$format" --runs 1 \
            --json >"$out/json" 2>"$out/log"
        collected=$(sed -n 's/.*Collected : //p' "$out/log")
        units=$(sed -n 's/.*"units":[^0-9]*\([0-9]*\).*/\1/p' \
            "$out/json")
        printf '%-20s %-12s %.1f\n' "$row" "$format" \
            "$(echo "scale=3; $collected / $units" | bc)"
    done
done
