#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A catalogue cannot claim what the run did not show."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "scripts"))

import catalogues  # noqa: E402
import tap  # noqa: E402

RESULTS = {
    "map_test": {"maps[legacy]": "passed", "maps[scalable]": "passed"},
    "map_test-hooked": {"sees_stores[legacy]": "passed"},
    "qtest_test": {"translates": "passed"},
    "leaf_test": {"splits/4K": "not applicable: none has these"},
    "fault_test": {
        "hears[legacy,coherent]": "passed",
        "hears[scalable]": "passed",
        "hears[first-stage]": "not applicable: not on this unit: deaf",
        "hears[first-stage,adversarial]": "not applicable: deaf",
        "hears[smmuv3-1]": "passed",
        "hears[smmuv3-1,adversarial]": "not applicable: not then",
    },
    "scenario_test": {f"qemu_{mode}": "passed"
                      for mode in ("legacy", "scalable", "first_stage",
                                   "stage1", "stage2")},
}

SUPPORT = {
    "faults": {"says": "faults", "tests": ["fault_test: *"],
               "smmuv3-2": "no ears"},
    "qemu": {"says": "as QEMU", "tests": ["scenario_test: qemu_{mode}"]},
}

# Each manner has the test, and no other.
SCENES = {
    "part_test": {"lends[legacy,coherent]": "passed",
                  "lends[legacy,coherent,adversarial]": "passed"},
    "part_test-hooked": {"lends[legacy,coherent]": "passed"},
    "part_test-failing": {"lends[legacy,coherent]": "passed"},
    "part_test-snapshots": {"leaks[legacy,coherent,adversarial]": "passed"},
    "schedule_parts_test-hooked": {"lends_beside_ends[legacy]": "passed"},
    "schedule_parts_test": {"ends[legacy]": "passed"},
}


class Catalogues(unittest.TestCase):
    def setUp(self):
        self.kept = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.kept.name)
        (self.root / "docs").mkdir()
        (self.root / "tests" / "catalogue").mkdir(parents=True)
        self.results = {**RESULTS, **SCENES}
        self.source("begin(rig, &l);")
        self.scenarios = {
            name: {"says": "x", "tests": ["part_test: *"],
                   "schedule": ["lends_*"]} for name in catalogues.SCENARIOS}
        self.readme("before\n", "after\n")
        self.support = {name: dict(row) for name, row in SUPPORT.items()}
        self.rows = {page.name: {name: {"says": "x", "tests": ["map_test: maps"]}
                                 for name in page.ids or ["HW-1"]}
                     for page in catalogues.PAGES}

    def source(self, step):
        core = self.root / "tests" / "core"
        core.mkdir(exist_ok=True)
        (core / "part_test.c").write_text(
            f"static void steps(struct rig *rig)\n{{\n    {step}\n}}\n\n"
            "static void\nlends(struct rig *rig)\n{\n    steps(rig);\n}\n")

    def readme(self, before, after):
        (self.root / "README.md").write_text(
            f"{before}{catalogues.BEGIN}\n{catalogues.END}\n{after}")

    def tearDown(self):
        self.kept.cleanup()

    def make(self, *options):
        for page, rows in [*self.rows.items(), ("support", self.support),
                           ("scenarios", self.scenarios)]:
            text = "".join(
                f"['{name}']\n" + "".join(
                    f"{key} = {json.dumps(value)}\n"
                    for key, value in row.items())
                for name, row in rows.items())
            (self.root / "tests" / "catalogue" / f"{page}.toml").write_text(text)
        (self.root / "results.json").write_text(json.dumps(self.results))
        done = subprocess.run(
            [sys.executable, ROOT / "scripts" / "catalogues.py", *options,
             "--root", self.root, self.root], capture_output=True, text=True,
            timeout=300, check=False)
        return done.returncode, done.stdout + done.stderr

    def page(self, name):
        return (self.root / "docs" / f"{name}.md").read_text()

    def refused(self, sentence, *options):
        status, output = self.make(*options)
        self.assertEqual(status, 1, output)
        self.assertIn(sentence, output)

    def change(self, **row):
        self.rows["invariants"]["D-07"] = row

    def test_good(self):
        self.assertEqual(self.make(), (0, ""))
        self.assertIn("| D-07 | x | `map_test: maps` |", self.page("invariants"))
        self.assertIn("(model)", self.page("mission"))
        self.assertEqual(self.make("--check"), (0, ""))

    def test_every_build_of_a_suite_counts(self):
        self.change(says="x", tests=["map_test: sees*"])
        self.assertEqual(self.make(), (0, ""))
        self.assertIn("`map_test: sees_stores`", self.page("invariants"))

    def test_witnesses(self):
        self.rows["witnesses"] = {
            "HW-1": {"says": "one", "source": "9.1", "tests": ["map_test: *"]},
            "HW-2": {"says": "two", "tests": ["map_test: *", "qtest_test: *"]}}
        self.assertEqual(self.make(), (0, ""))
        self.assertIn("| HW-1 | one (9.1) | **one only:** model |",
                      self.page("witnesses"))
        self.assertIn("| HW-2 | two | model, QEMU |", self.page("witnesses"))

    def test_excuse(self):
        self.change(says="x", later="needs a moon")
        self.assertEqual(self.make(), (0, ""))
        self.assertIn("| *not yet:* needs a moon |", self.page("invariants"))

    def test_no_such_test(self):
        self.change(says="x", tests=["map_test: flies"])
        self.refused("D-07: no test 'map_test: flies' passed")

    def test_not_applicable_shows_nothing(self):
        self.change(says="x", tests=["leaf_test: splits"])
        self.refused("D-07: no test 'leaf_test: splits' passed")

    def test_suite_with_a_failure_shows_nothing(self):
        self.results["map_test"] = {}
        self.refused("D-07: no test 'map_test: maps' passed")

    def test_nothing_shown_and_no_reason(self):
        self.change(says="x", tests=[])
        self.refused("D-07: needs either tests or one of")

    def test_shown_and_excused(self):
        self.change(says="x", tests=["map_test: maps"], later="no")
        self.refused("D-07: needs either tests or one of")

    def test_no_words(self):
        self.change(tests=["map_test: maps"])
        self.refused("D-07: does not say what it is")

    def test_unknown_key(self):
        self.change(says="x", tests=["map_test: maps"], soon="yes")
        self.refused("D-07: nobody knows 'soon'")

    def test_missing_row(self):
        del self.rows["mission"]["S1.3"]
        self.refused("mission.toml: S1.3 is missing")

    def test_invented_row(self):
        self.change(says="x", tests=["map_test: maps"])
        self.rows["invariants"]["D-100"] = {"says": "x", "later": "x"}
        self.refused("there is no row D-100")

    def test_page_out_of_date(self):
        self.make()
        self.change(says="y", tests=["map_test: maps"])
        self.refused("docs/invariants.md is not what this run shows", "--check")

    def test_support(self):
        self.assertEqual(self.make(), (0, ""))
        text = (self.root / "README.md").read_text()
        self.assertIn("\n| faults | yes | yes | not on this unit: deaf | yes | "
                      "not on this unit: no ears |\n",
                      text)
        self.assertIn("\n| as QEMU | yes | yes | yes | yes | yes |\n", text)
        self.assertTrue(text.startswith("before\n") and
                        text.endswith("after\n"))
        self.assertEqual(self.make("--check"), (0, ""))

    def test_support_out_of_date(self):
        self.make()
        self.results["fault_test"] = {
            **RESULTS["fault_test"],
            "hears[legacy,coherent]": "not applicable: no more"}
        self.refused("README.md is not what this run shows", "--check")
        self.refused("| faults | not on this unit: no more |", "--check")

    def test_support_without_a_test(self):
        del self.support["faults"]["smmuv3-2"]
        self.refused("faults: smmuv3-2: no test, and no reason")

    def test_support_of_a_suite_that_failed(self):
        self.results["fault_test"] = {}
        self.refused("faults: legacy: no test, and no reason")

    def test_support_that_is_excused_and_shown(self):
        self.support["faults"]["legacy"] = "no"
        self.refused("faults: legacy: says why not, but there are tests")

    def test_support_row_that_is_wrong(self):
        self.support["faults"]["amdvi"] = "no"
        self.refused("faults: nobody knows 'amdvi'")
        self.support["faults"] = {"says": "faults"}
        self.refused("faults: needs words and tests")

    def test_no_place_for_support(self):
        (self.root / "README.md").write_text("nothing")
        self.refused("README.md: the lines around what is made")

    def test_scenarios(self):
        self.scenarios["C-SC2"]["failing"] = ["map_test: maps"]
        self.scenarios["C-SC3"] = {"says": "y", "tests": ["part_test: *"],
                                   "schedule": "is alone"}
        self.results["map_test-failing"] = {"maps[legacy]": "passed"}
        self.assertEqual(self.make(), (0, ""))
        text = self.page("scenarios")
        lends = "`part_test: lends` | " * 3
        self.assertIn(f"| C-SC1 | x | {lends}`lends_beside_ends` |\n", text)
        self.assertIn("`part_test: lends` | `map_test: maps` | `lends_bes", text)
        self.assertIn(f"| C-SC3 | y | {lends}*does not apply:* is alone |\n",
                      text)
        self.assertEqual(self.make("--check"), (0, ""))
        self.scenarios["C-SC3"]["says"] = "z"
        self.refused("docs/scenarios.md is not what this run shows", "--check")

    def without(self, suite, manner):
        self.results = {**RESULTS, **SCENES, suite: {}}
        self.refused(f"C-SC7: no test 'part_test: *' passed: {manner}")

    def test_each_manner_has_to_be_shown(self):
        self.without("part_test", "adversarial")
        self.without("part_test-hooked", "stores")
        self.without("part_test-failing", "failing")
        self.results = {**RESULTS, **SCENES, "schedule_parts_test-hooked": {}}
        self.refused("C-SC7: no test 'lends_*' passed: schedule")

    def test_what_does_not_look_at_stores_is_no_manner(self):
        self.source("ends(rig);")
        self.refused("C-SC7: no test 'part_test: *' passed: stores")

    def test_machines_that_are_not_adversarial_are_no_manner(self):
        self.results["part_test"] = {"lends[legacy,coherent]": "passed"}
        self.refused("C-SC7: no test 'part_test: *' passed: adversarial")

    def test_what_is_not_applicable_is_no_manner(self):
        self.results["part_test-failing"] = {"lends": "not applicable: once"}
        self.refused("C-SC7: no test 'part_test: *' passed: failing")

    def test_scheduler_without_stores_shows_nothing(self):
        self.scenarios["S0.17"]["schedule"] = ["ends"]
        self.refused("S0.17: no test 'ends' passed: schedule")

    def test_manner_without_tests_or_reason(self):
        del self.scenarios["S3.36"]["schedule"]
        self.refused("S3.36: neither tests nor a reason for schedule")

    def test_manner_that_is_excused_and_shown(self):
        self.scenarios["C-SC4"]["failing"] = "never"
        self.refused("C-SC4: says why not failing, but there is part_test: lends")

    def test_scenario_that_is_missing_or_wrong(self):
        self.scenarios["C-SC5"] = {"tests": ["part_test: *"], "threads": "no",
                                   "schedule": "no"}
        self.refused("C-SC5: nobody knows 'threads'")
        self.refused("C-SC5: does not say what it is")
        del self.scenarios["C-SC5"]
        self.refused("scenarios.toml: C-SC5 is missing")

    def test_no_run(self):
        done = subprocess.run(
            [sys.executable, ROOT / "scripts" / "catalogues.py", self.root],
            capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("run tests/run.py first", done.stdout)


if __name__ == "__main__":
    tap.main()
