#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the example program of README.md: its first ```c block.

    scripts/readme-example.py [--root DIR]
"""

import argparse
import pathlib
import re
import sys


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent)
    text = (parser.parse_args().root / "README.md").read_text()
    block = re.search(r"^```c\n(.*?)^```$", text, re.M | re.S)
    if not block:
        print("README.md has no ```c block")
        return 1
    sys.stdout.write(block.group(1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
