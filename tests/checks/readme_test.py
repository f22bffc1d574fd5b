#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What README.md says about itself: its example prints what it shows, and the
files it links to are there.

UIOMMU_README_EXAMPLE is the program made of the example.
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

DOCUMENTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "tests/README.md",
             *(p.relative_to(TOP).as_posix() for p in
               sorted((TOP / "docs").rglob("*.md")))]
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


class Readme(unittest.TestCase):
    def test_example_prints_what_it_says(self):
        done = subprocess.run([os.environ["UIOMMU_README_EXAMPLE"]],
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        text = (TOP / "README.md").read_text()
        shown = text.split("It prints\n\n```\n")[1].split("```\n")[0]
        self.assertEqual(done.stdout, shown)

    def test_links(self):
        for name in DOCUMENTS:
            for link in LINK.findall((TOP / name).read_text()):
                target = (TOP / name).parent / link
                self.assertTrue(target.exists(), f"{name}: {link}")

    def test_commands_exist(self):
        makefile = (TOP / "Makefile").read_text()
        for target in re.findall(r"^    make (\w+)",
                                 (TOP / "README.md").read_text(), re.M):
            self.assertRegex(makefile, rf"(?m)^{target}:")


if __name__ == "__main__":
    tap.main()
