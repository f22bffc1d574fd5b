#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Formats C, or with --check says which lines are not formatted.

clang-format 14 with .clang-format decides, with one freedom: comments behind
code may stand in any column, as long as the line fits, so that they form columns
over blank lines and keep their own right edge.

    scripts/format.py [--check] [--root DIR] [FILE...]
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree

COLUMNS = 80
FOLDERS = ("include", "src", "model", "hosts", "tools", "tests", "bench",
           "fuzz", "examples")
TOKEN = re.compile(rb"""
    /\*.*?\*/ | //[^\n]* |              # comments
    "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'
    """, re.X | re.S)


def clang_format():
    for name in ("clang-format-14", "clang-format"):
        path = shutil.which(name)
        if path:
            version = subprocess.run([path, "--version"], capture_output=True,
                                     text=True, check=True).stdout
            if "version 14." in version:
                return path
    sys.exit("format.py: needs clang-format 14")


def line_of(text, at):
    start = text.rfind(b"\n", 0, at) + 1
    stop = text.find(b"\n", at)
    return text[start:len(text) if stop < 0 else stop]


def trailing_comments(text):
    """Ranges of comments that have code before them on their first line."""
    ranges = []
    for match in TOKEN.finditer(text):
        if match.group().startswith((b"/*", b"//")):
            start = text.rfind(b"\n", 0, match.start()) + 1
            if text[start:match.start()].strip():
                ranges.append((match.start(), match.end()))
    return ranges


def fits(text, start, stop):
    lines = text[start:stop].split(b"\n")
    first = line_of(text, start)
    return len(first.decode(errors="replace")) <= COLUMNS and all(
        len(x.decode(errors="replace")) <= COLUMNS for x in lines[1:])


def is_free(text, comments, offset, length, new):
    """Does the replacement only move a comment that may stand where it is?"""
    old = text[offset:offset + length]
    if old.strip() or new.strip():
        return False
    for start, stop in comments:
        before = offset + length == start and b"\n" not in old + new and old
        inside = start < offset < stop
        if (before or inside) and fits(text, start, stop):
            return True
    return False


def replacements(tool, root, path):
    xml_text = subprocess.run(
        [tool, "--style=file", "--output-replacements-xml", str(path)],
        cwd=root, capture_output=True, check=True).stdout
    text = path.read_bytes()
    comments = trailing_comments(text)
    found = []
    for node in xml.etree.ElementTree.fromstring(xml_text):
        if node.tag != "replacement":
            continue
        offset, length = int(node.get("offset")), int(node.get("length"))
        new = (node.text or "").encode()
        if text[offset:offset + length] != new and not is_free(
                text, comments, offset, length, new):
            found.append((offset, length, new))
    return text, found


def apply(text, found):
    for offset, length, new in sorted(found, reverse=True):
        text = text[:offset] + new + text[offset + length:]
    return text


def code(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".c", ".h", ".inc"):
                yield path


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    args = parser.parse_args()
    tool = clang_format()
    bad = 0
    paths = [p.resolve() for p in args.files] or list(code(args.root))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(
            lambda path: replacements(tool, args.root, path), paths))
    for path, (text, found) in zip(paths, results):
        if not found:
            continue
        name = os.path.relpath(path, args.root)
        if args.check:
            bad += 1
            lines = sorted({text.count(b"\n", 0, x[0]) + 1 for x in found})
            print(f"{name}: not formatted at line",
                  ", ".join(map(str, lines[:12])))
        else:
            path.write_bytes(apply(text, found))
            print(f"{name}: formatted")
    if bad:
        print(f"{bad} files are not formatted; `make format` does it")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
