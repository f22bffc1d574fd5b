#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Drivers of units do not know mediated devices (semantics S3.5, C.7): they see an
endpoint and two domains, of whatever kind the endpoint is for others. Nor do formats,
tables and whatever else is below the core; nor has the contract with drivers more of
them than a name. And the one client of all kinds names none (C.7)."""

import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import tap  # noqa: E402

BELOW = ["base", "drv", "explain", "fw", "pci", "pt", "spec", "walk"]
# Not the manuals' "intermediate".
WORD = re.compile(r"mdev|\bmediat|_mediat", re.I)

KIND = re.compile(r"mdev|mediat|pasid|emulat|\brid|\bkind|uiommu_(access|device)_|"
                  r"\bswitch\b|# *(if|elif)(?!ndef UIM_)", re.I)
INCLUDE = re.compile(r"# *include\s*([<\"].*[>\"])")
CLIENT_INCLUDES = {"<uiommu/uiommu.h>", '"tools/client.h"'}


def kinds_in(text):
    return [line.strip() for line in text.splitlines() if KIND.search(line)]


def lines_with(text):
    return [line.strip() for line in text.splitlines() if WORD.search(line)]


class Words(unittest.TestCase):
    def test_drivers_do_not_know_mediated_devices(self):
        paths = [path for folder in BELOW
                 for path in sorted((ROOT / "src" / folder).rglob("*"))
                 if path.suffix in (".c", ".h", ".inc")]
        self.assertGreater(len(paths), 50)
        for path in paths:
            self.assertEqual(lines_with(path.read_text()), [], path.name)

    def test_the_operations_of_a_unit_do_not_either(self):
        text = (ROOT / "src" / "core" / "driver.h").read_text()
        start = text.index("struct uim_unit_ops {")
        end = text.index("/* A domain on a unit")
        self.assertEqual(lines_with(text[start:end]), [])

    def test_the_word_would_be_found(self):
        for text in ("if (ep->mdev)", "struct uim_mediated *m;",
                     "a mediated device", "uiommu_mdev_register()"):
            self.assertEqual(lines_with(text), [text])
        self.assertEqual(lines_with("intermediate physical"), [])

    def test_the_client_names_no_kind(self):
        for name in ("client.c", "client.h"):
            text = (ROOT / "tools" / name).read_text()
            self.assertEqual(kinds_in(text), [], name)
            self.assertLessEqual(set(INCLUDE.findall(text)), CLIENT_INCLUDES)

    def test_a_kind_would_be_found(self):
        for text in ("uiommu_pasid_create(", "UIOMMU_MDEV_EMULATED",
                     "config.kind", "#ifdef SIM", "switch (x)", "a RID",
                     "uiommu_endpoint_pasid(ep)", "uiommu_access_rw(",
                     "uiommu_device_endpoint("):
            self.assertEqual(kinds_in(text), [text])
        self.assertEqual(kinds_in("void *ctx; /* grid */"), [])


if __name__ == "__main__":
    tap.main()
