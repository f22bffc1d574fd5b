#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the build leaves: its files are where the documents say, and the models
library exports one function.

UIOMMU_BUILD is the build directory.
"""

import os
import pathlib
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
                     "readme-example"):
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


if __name__ == "__main__":
    tap.main()
