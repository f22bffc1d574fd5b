#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The public calls that tests/failing makes fail are all there are."""

import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import tap  # noqa: E402

# These ask the host for nothing.
ASK_NOTHING = {"uiommu_access_fault", "uiommu_access_pin", "uiommu_access_rw",
               "uiommu_access_unpin", "uiommu_effective_mode", "uiommu_page_respond",
               "uiommu_request_queue_read", "uiommu_request_queue_respond",
               "uiommu_unit_info", "uiommu_walk"}


def with_a_status():
    """Public functions that return an enum uiommu_status."""
    for header in (ROOT / "include" / "uiommu").glob("*.h"):
        yield from re.findall(r"\benum uiommu_status\s+(uiommu_\w+)\(",
                              header.read_text())


class Failing(unittest.TestCase):
    def test_every_call_is_there(self):
        listed = (ROOT / "tests" / "failing" / "calls.txt").read_text().split()
        self.assertEqual(set(listed), set(with_a_status()) - ASK_NOTHING)

    def test_list_for_the_linker_is_that_of_the_compiler(self):
        header = (ROOT / "tests" / "failing" / "failing.h").read_text()
        listed = (ROOT / "tests" / "failing" / "calls.txt").read_text().split()
        self.assertEqual(re.findall(r"X\((uiommu_\w+),", header), listed)


if __name__ == "__main__":
    tap.main()
