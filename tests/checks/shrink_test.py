#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A failure of random calls is found with few of them."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "scripts"))

import shrink  # noqa: E402
import tap  # noqa: E402

PROGRAM = pathlib.Path(os.environ.get("UIOMMU_BUILD", "build"), "tests",
                       "pt_random_test")
TEST = "random_calls/vtd_ss-4,4K+2M,coherent"


class Shrink(unittest.TestCase):
    def run_it(self, **more):
        return subprocess.run(
            [sys.executable, ROOT / "scripts" / "shrink.py", PROGRAM, TEST],
            env=dict(os.environ, **more), capture_output=True, text=True,
            timeout=300, check=False)

    def test_two_calls_of_many(self):
        self.assertEqual(
            shrink.shrink(list(range(100)), lambda c: {17, 63} <= set(c)),
            [17, 63])

    def test_one_call(self):
        self.assertEqual(shrink.shrink(list(range(9)), lambda c: 8 in c), [8])

    def test_all_are_needed(self):
        self.assertEqual(
            shrink.shrink([1, 2, 3], lambda c: c == [1, 2, 3]), [1, 2, 3])

    def test_a_broken_unmap_takes_a_map_and_an_unmap(self):
        done = self.run_it(UIOMMU_BREAK="1")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        calls = re.search(r"UIOMMU_CALLS=([0-9,]+) ", done.stdout).group(1)
        self.assertLessEqual(len(calls.split(",")), 3, done.stdout)
        again = subprocess.run(
            [PROGRAM, TEST], env=dict(os.environ, UIOMMU_BREAK="1",
                                      UIOMMU_CALLS=calls),
            capture_output=True, timeout=300, check=False)
        self.assertNotEqual(again.returncode, 0)

    def test_nothing_to_shrink(self):
        done = self.run_it()
        self.assertEqual(done.returncode, 1)
        self.assertIn("does not fail", done.stdout)


if __name__ == "__main__":
    tap.main()
