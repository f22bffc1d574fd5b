# SPDX-License-Identifier: MIT
#
# A thin front of Meson: everything is built in build/.
#
#     make          the library, the command, the models, the tests
#     make demo     a simulated machine, confined and shown, and one client of all
#                   kinds of endpoint; installs what the build needs (Debian, as root)
#     make test     all tests; installs what they need (Debian, as root)
#     make bench    speed, as ratios to what this machine can do
#     make seeded-faults    breaks the code on purpose: does a test notice?
#     make mutants SECONDS=600   the same with small automatic changes
#     make soak SECONDS=600      fuzzers, interleavings and mutants, longer
#     make coverage  which lines the tests run
#     make format   clang-format 14, in place; check-format only looks
#     make sources  brings every sources.txt up to date with its folder

BUILD = build
SECONDS = 600

all: configured
	@ninja -C $(BUILD)

# What is not configured yet is, with the tests if cmocka is there.
configured:
	@command -v meson > /dev/null && command -v ninja > /dev/null || { \
	    echo 'meson or ninja is missing: scripts/install-deps.sh --demo'; exit 1; }
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) \
	    -Dtests=$$(pkg-config --exists cmocka && echo true || echo false)

demo:
	@scripts/install-deps.sh --demo
	@$(MAKE) --no-print-directory configured
	@ninja -C $(BUILD) uiommu
	$(BUILD)/uiommu run --machine sim:vtd
	$(BUILD)/uiommu run --machine sim:vtd --scenario mdev
	$(BUILD)/uiommu run --machine sim:smmuv3 --scenario mdev

test:
	@scripts/install-deps.sh
	@$(MAKE) --no-print-directory configured
	@grep -q '"cmd"' $(BUILD)/meson-info/intro-tests.json || \
	    meson configure $(BUILD) -Dtests=true
	@ninja -C $(BUILD)
	@python3 tests/run.py $(BUILD)

bench: configured
	@ninja -C $(BUILD) uiommu
	@$(BUILD)/uiommu bench

seeded-faults:
	@scripts/install-deps.sh
	@python3 scripts/seeded-faults.py

mutants:
	@scripts/install-deps.sh
	@python3 scripts/mutants.py --seconds $(SECONDS)

soak:
	@scripts/install-deps.sh
	@scripts/soak.sh $(SECONDS)

coverage:
	@scripts/install-deps.sh
	@scripts/coverage.sh

format:
	@python3 scripts/format.py

check-format:
	@python3 scripts/format.py --check

sources:
	@python3 scripts/check-sources.py --fix

clean:
	rm -rf $(BUILD) $(BUILD)-*

.PHONY: all configured demo test bench seeded-faults mutants soak coverage format check-format sources clean
