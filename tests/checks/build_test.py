#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the build leaves: its files are where the documents say, and the models
library exports one function.

UIOMMU_BUILD is the build directory.
"""

import os
import pathlib
import re
import subprocess
import sys
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tests"))

import tap  # noqa: E402

BUILD = pathlib.Path(os.environ.get("UIOMMU_BUILD", TOP / "build"))


def symbols(path, *options):
    lines = subprocess.run(
        ["nm", "--defined-only", *options, path], check=True, text=True,
        stdin=subprocess.DEVNULL, capture_output=True).stdout.splitlines()
    return [x.split() for x in lines if len(x.split()) == 3]


class Build(unittest.TestCase):
    def test_files(self):
        for name in ("uiommu", "libuiommu.a", "libuiommu-models.so", "toy-vmm",
                     "toy-kernel", "readme-example"):
            self.assertTrue((BUILD / name).is_file(), name)

    def test_models_export_one_function(self):
        found = symbols(BUILD / "libuiommu-models.so", "-D")
        self.assertEqual([x[2] for x in found], ["uiommu_embed"])

    def test_library_uses_its_prefixes(self):
        prefixes = ("uiommu_", "uim_", "smmuv3_", "vtd_")
        for _, kind, name in symbols(BUILD / "libuiommu.a"):
            if kind.isupper():
                self.assertTrue(name.startswith(prefixes), name)

    def test_plain_library_has_no_hooks(self):
        text = subprocess.run(["nm", BUILD / "libuiommu.a"], check=True,
                              capture_output=True, text=True).stdout
        self.assertNotIn("uim_store_seen", text)


class Shares(unittest.TestCase):
    """UIOMMU_SHARE, which sanitizers and foreign machines are run with."""

    def rows(self, program, share):
        done = subprocess.run(
            [BUILD / "tests" / program], text=True, capture_output=True, check=False,
            cwd=TOP, env=dict(os.environ, UIOMMU_SHARE=share,
                              CMOCKA_MESSAGE_OUTPUT="TAP"))
        return set(re.findall(r"^ok \d+ - (\w+)[\[/](.*?)\]?$", done.stdout, re.M))

    def test_each_test_and_each_machine_is_there(self):
        for program, most in (("map_test", 1), ("pt_test", 4)):
            more = self.rows(program, str(most))
            few = self.rows(program, str(3 * most))
            self.assertLess(few, more)
            self.assertAlmostEqual(len(few) / len(more), 1 / 3, delta=0.05)
            self.assertEqual({test for test, _ in few}, {test for test, _ in more})
            self.assertEqual({place for _, place in few},
                             {place for _, place in more})

    def test_what_is_no_number_is_refused(self):
        for share in ("0", "half", "3x", ""):
            self.assertFalse(self.rows("map_test", share), share)


if __name__ == "__main__":
    tap.main()
