#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Which lines the tests run, in build-coverage: a table by folder, and in
# build-coverage/uncovered.txt the lines that no test runs.
set -euo pipefail

cd "$(dirname "$0")/.."
readonly dir=build-coverage

if [ ! -f $dir/build.ninja ]; then
    # Threads count too: not atomic, counts get lost and even negative.
    log=$(CFLAGS=-fprofile-update=atomic \
        meson setup $dir -Dtests=true -Db_coverage=true) ||
        { echo "$log"; exit 1; }
fi
ninja -C $dir --quiet
find $dir -name '*.gcda' -delete
python3 tests/run.py $dir > $dir/tests.log || { tail -n 20 $dir/tests.log; exit 1; }
gcovr --root . --object-directory $dir --filter 'src/' --filter 'model/' \
    --gcov-ignore-parse-errors --exclude-unreachable-branches \
    --json-summary $dir/summary.json --json $dir/lines.json $dir > /dev/null
python3 - $dir << 'EOF'
import collections, json, pathlib, sys

build = pathlib.Path(sys.argv[1])
folders = collections.defaultdict(lambda: [0, 0])
for file in json.loads((build / "summary.json").read_text())["files"]:
    name = "/".join(file["filename"].split("/")[:-1])
    folders[name][0] += file["line_total"]
    folders[name][1] += file["line_covered"]
for name, (total, covered) in sorted(folders.items()):
    print(f"{name:16} {covered:6} of {total:6} lines, "
          f"{100 * covered / max(total, 1):5.1f} %")
with open(build / "uncovered.txt", "w") as out:
    for file in json.loads((build / "lines.json").read_text())["files"]:
        lines = sorted({line["line_number"] for line in file["lines"]
                        if line["count"] == 0
                        and not line.get("gcovr/noncode")})
        if lines:
            print(f"{file['file']}: {', '.join(map(str, lines))}", file=out)
print(f"lines that no test runs: {build}/uncovered.txt")
EOF
