#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Can the library be used in each of the three ways that the README names? The
# example of the README is built by the command that is there, and with pkg-config
# after an install; a small project has uiommu as a Meson subproject. What is built
# is run.
#
#     scripts/check-install.sh
set -euo pipefail

cd "$(dirname "$0")/.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say()
{
    printf 'check-install: %s\n' "$*"
}

quietly()
{
    local log

    log=$(mktemp "$work/log.XXXXXX")
    "$@" > "$log" 2>&1 || { cat "$log"; return 1; }
}

# The machine that the example runs on is no part of the library.
# shellcheck disable=SC2046
simulator()
{
    printf '%s\n' -I. -Isrc $(cat model/sources.txt hosts/embed/sources.txt \
        hosts/sim/sources.txt) -D_GNU_SOURCE= -pthread
}

run_example()
{
    "$work/$1" > "$work/$1.out"
    if ! grep -q '^in memory: 42$' "$work/$1.out" ||
            ! grep -q '^fault: .*0x20000' "$work/$1.out"; then
        say "$1: the example does not say what the README says"
        cat "$work/$1.out"
        return 1
    fi
}

# The command is the one that the README gives.
by_hand()
{
    local command

    command=$(sed -n '/^    cc -Iinclude/,/[^\\]$/p' README.md)
    quietly sh -c "${command/example.c/$work/example.c -o $work/by-hand}"
    run_example by-hand
    say "by hand: ok"
}

by_pkg_config()
{
    quietly meson setup "$work/build" --prefix "$work/prefix" \
        --libdir lib -Dtools=false -Doptimization=0
    quietly meson install -C "$work/build"
    export PKG_CONFIG_PATH="$work/prefix/lib/pkgconfig"
    # shellcheck disable=SC2046
    ${CC:-cc} -std=c11 -o "$work/by-pkg-config" "$work/example.c" \
        $(pkg-config --cflags uiommu) $(simulator) $(pkg-config --libs uiommu)
    run_example by-pkg-config
    say "pkg-config: ok"
}

by_subproject()
{
    local app=$work/app

    mkdir -p "$app/subprojects/uiommu"
    # What the library consists of, and nothing else.
    cp -r meson.build meson_options.txt include src "$app/subprojects/uiommu/"
    cat > "$app/meson.build" << 'END'
project('app', 'c')
uiommu = dependency('uiommu', fallback: 'uiommu')
executable('app', 'app.c', dependencies: uiommu)
END
    cat > "$app/app.c" << 'END'
#include <stdio.h>

#include <uiommu/uiommu.h>

int main(void)
{
    struct uiommu_host host = { .size = sizeof(host) };
    const struct uiommu_driver *const driver = &uiommu_driver_vtd;
    struct uiommu *u;

    /* No host has no memory: INVAL. */
    return driver && uiommu_create(&host, NULL, &u) == UIOMMU_INVAL ? 0 : 1;
}
END
    unset PKG_CONFIG_PATH
    quietly meson setup "$work/app-build" "$app" -Doptimization=0
    quietly ninja -C "$work/app-build"
    "$work/app-build/app"
    say "subproject: ok"
}

cd "$root"
python3 scripts/readme-example.py > "$work/example.c"
# Side by side: a compiler that is given all files works at one after the other.
by_hand &
hand=$!
by_pkg_config &
pkg_config=$!
by_subproject
wait $hand
wait $pkg_config
