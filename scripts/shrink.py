#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The fewest random calls with which a test still fails.

    [UIOMMU_SEED=N] scripts/shrink.py PROGRAM TEST [CALLS]

TEST is run with fewer and fewer of its CALLS (250) calls, by UIOMMU_CALLS. What is
left is printed as the command that fails. Exit status 1: it does not fail at all.
"""

import os
import subprocess
import sys


def fails(program, test, calls):
    env = dict(os.environ, UIOMMU_CALLS=",".join(map(str, calls)) or "none")
    try:
        done = subprocess.run([program, test], env=env, timeout=60, check=False,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


def shrink(calls, still_fails):
    """Delta debugging: leaves out parts, ever smaller ones, as long as it fails."""
    parts = 2
    while len(calls) > 1:
        size = -(-len(calls) // parts)
        for start in range(0, len(calls), size):
            fewer = calls[:start] + calls[start + size:]
            if fewer and still_fails(fewer):
                calls, parts = fewer, max(2, parts - 1)
                break
        else:
            if size == 1:
                break
            parts = min(len(calls), 2 * parts)
    return calls


def main():
    program, test = sys.argv[1:3]
    calls = list(range(int(sys.argv[3]) if len(sys.argv) > 3 else 250))
    if not fails(program, test, calls):
        print(f"{test} does not fail")
        return 1
    calls = shrink(calls, lambda fewer: fails(program, test, fewer))
    seed = os.environ.get("UIOMMU_SEED")
    print(f"{f'UIOMMU_SEED={seed} ' if seed else ''}"
          f"UIOMMU_CALLS={','.join(map(str, calls))} {program} '{test}'")
    return 0


if __name__ == "__main__":
    sys.exit(main())
