#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Installs what building and testing uiommu needs, on Debian 12, through apt:
#
#     scripts/install-deps.sh           everything the tests use
#     scripts/install-deps.sh --demo    only what `make demo` needs
#
# Fast when nothing is missing. Run without root it says what to install. QEMU
# 10 is taken from backports, from the mirror that apt is configured with.
set -euo pipefail

readonly QEMU_MAJOR=10
readonly QEMU_PACKAGES="qemu-system-x86 qemu-system-arm"
readonly BACKPORTS_FILE=/etc/apt/sources.list.d/uiommu-backports.sources

# libc6-dev: only recommended by gcc. No gcc-multilib: it conflicts with the
# cross compilers.
readonly DEMO_PACKAGES="gcc libc6-dev make meson ninja-build pkg-config
    libcjson-dev"
readonly TEST_PACKAGES="$DEMO_PACKAGES g++ clang llvm libclang-rt-14-dev
    clang-format libcmocka-dev gcc-aarch64-linux-gnu
    gcc-riscv64-linux-gnu gcc-s390x-linux-gnu gcc-i686-linux-gnu
    libc6-dev-arm64-cross libc6-dev-riscv64-cross libc6-dev-s390x-cross
    libc6-dev-i386-cross qemu-user-static gcovr valgrind git python3"

say()
{
    printf 'install-deps: %s\n' "$*"
}

die()
{
    say "$*" >&2
    exit 1
}

apt_get()
{
    # Others may hold the lock, and some networks drop every tenth packet.
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 \
        -o DPkg::Lock::Timeout=600 "$@"
}

# Nothing that the machine's owner wants is removed for it.
apt_install()
{
    if ! apt_get install -y --no-install-recommends --no-remove "$@"; then
        die "apt cannot install $*; if packages are in the way" \
            "(gcc-multilib conflicts with the cross compilers), remove them" \
            "first"
    fi
}

# Those of the packages named that dpkg does not have.
not_installed()
{
    local package

    for package in "$@"; do
        if ! dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null |
                grep -q '^ii'; then
            printf '%s ' "$package"
        fi
    done
}

# The program of the package $1 that tests start.
qemu_program()
{
    case $1 in
    *-x86) printf 'qemu-system-x86_64' ;;
    *-arm) printf 'qemu-system-aarch64' ;;
    esac
}

# Those of QEMU's packages whose program in the path is missing or too old.
qemu_wanted()
{
    local package version

    for package in $QEMU_PACKAGES; do
        version=$("$(qemu_program "$package")" --version 2>/dev/null |
            sed -n 's/^QEMU emulator version \([0-9]*\).*/\1/p')
        if [ "${version:-0}" -lt "$QEMU_MAJOR" ]; then
            printf '%s ' "$package"
        fi
    done
}

# "URI release sources-file" of every archive of the distribution apt knows.
archives()
{
    # shellcheck disable=SC2016
    apt-get indextargets --format \
        '$(ORIGIN) $(REPO_URI) $(RELEASE) $(SOURCESENTRY)' \
        'Created-By: Packages' | sed -n 's/^Debian //p' | sort -u
}

codename()
{
    # shellcheck disable=SC1091
    (. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
}

# The keyring that the sources file $1 names for the archive at URI $2.
keyring()
{
    local file=${1%:*} uri=${2%/}

    case $file in
    *.sources)
        awk -v RS= -v uri="$uri" 'index($0 "\n", uri)' "$file" |
            sed -n 's/^Signed-By:[ \t]*\(\/[^ \t]*\).*/\1/p'
        ;;
    *)
        grep -F "$uri" "$file" | sed -n 's/.*signed-by=\([^] ]*\).*/\1/p'
        ;;
    esac | head -n 1
}

# A sources file for the backports of release $1; nothing if there is no mirror
# to derive it from.
backports_source()
{
    local release=$1 uri found file key

    while read -r uri found file; do
        if [ "$found" != "$release" ]; then
            continue
        fi
        printf 'Types: deb\nURIs: %s\nSuites: %s-backports\n' \
            "$uri" "$release"
        printf 'Components: main\n'
        key=$(keyring "$file" "$uri")
        if [ -n "$key" ]; then
            printf 'Signed-By: %s\n' "$key"
        fi
        return
    done < <(archives)
}

# Whether apt, with the further options given, would install each QEMU that is wanted
# and each new enough.
apt_has_qemu()
{
    local package version

    for package in $(qemu_wanted); do
        version=$(LC_ALL=C apt-get install -s --no-install-recommends "$@" \
            "$package" 2>/dev/null |
            sed -n "s/^Inst $package .*(\([0-9]*:\)\{0,1\}\([0-9]*\)\..*/\2/p")
        if [ "${version:-0}" -lt "$QEMU_MAJOR" ]; then
            return 1
        fi
    done
}

# The apt options that get a new QEMU, and only QEMU: its archive if the release
# itself has an old one.
qemu_options()
{
    if ! apt_has_qemu; then
        printf -- '-t %s-backports' "$(codename)"
    fi
}

# Whether apt has to be told of backports first.
needs_backports()
{
    ! apt_has_qemu && ! apt_has_qemu -t "$(codename)-backports"
}

# What a user who is not root has to ask for: $1 packages, $2 those of QEMU.
tell_user()
{
    local install="apt-get install --no-install-recommends" source
    local line='apt-get update'

    say "not root; as root, run"
    if [ -n "$2" ] && needs_backports; then
        source=$(backports_source "$(codename)" | sed 's/$/\\n/' | tr -d '\n')
        if [ -z "$source" ]; then
            say "(with a Debian mirror configured for apt, to begin with)"
        else
            printf "  printf '%s' > %s\n" "$source" "$BACKPORTS_FILE"
        fi
    fi
    if [ -n "$1" ]; then
        line="$line && $install $1"
    fi
    if [ -n "$2" ]; then
        line="$line && $install $(qemu_options) $2"
    fi
    printf '  %s\n' "$line"
}

add_backports()
{
    local release=$1 text

    text=$(backports_source "$release")
    if [ -z "$text" ]; then
        die "apt has no Debian mirror for '$release': cannot tell where its" \
            "backports are; install QEMU $QEMU_MAJOR or newer by hand"
    fi
    say "adding $release-backports in $BACKPORTS_FILE"
    printf '%s\n' "$text" > "$BACKPORTS_FILE"
    if ! apt_get update; then
        rm -f "$BACKPORTS_FILE"
        die "apt cannot read $release-backports; removed $BACKPORTS_FILE"
    fi
}

install_qemu()
{
    local package

    if needs_backports; then
        add_backports "$(codename)"
    fi
    say "installing $* $(qemu_options)"
    # shellcheck disable=SC2046
    apt_install $(qemu_options) "$@"
    for package in $(qemu_wanted); do
        die "$(qemu_program "$package") is still older than $QEMU_MAJOR:" \
            "$("$(qemu_program "$package")" --version 2>&1 | head -n 1)"
    done
}

main()
{
    local packages=$TEST_PACKAGES qemu='' missing

    case "${1:-}" in
    "")
        qemu=$(qemu_wanted)
        ;;
    --demo)
        packages=$DEMO_PACKAGES
        ;;
    *)
        die "usage: $0 [--demo]"
        ;;
    esac
    # shellcheck disable=SC2086
    missing=$(not_installed $packages)
    if [ -z "$missing" ] && [ -z "$qemu" ]; then
        say "nothing to do"
        return
    fi
    if [ "$(id -u)" -ne 0 ]; then
        tell_user "$missing" "$qemu" >&2
        exit 1
    fi
    apt_get update
    if [ -n "$missing" ]; then
        say "installing $missing"
        # shellcheck disable=SC2086
        apt_install $missing
    fi
    if [ -n "$qemu" ]; then
        # shellcheck disable=SC2086
        install_qemu $qemu
    fi
    say "done"
}

# Others take the functions.
if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    main "$@"
fi
