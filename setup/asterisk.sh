#!/usr/bin/env bash
# Sees to an Asterisk that is new enough: the one on PATH, else Debian sid's, unpacked into .asterisk/.
# It is run by its own loader (engine/host/asterisk_program.py), so it needs no chroot, no root, and no install.
# `setup/asterisk.sh there` only says by its exit code whether one is there.
set -euo pipefail
cd "$(dirname "$0")/.."
. setup/say.sh

# REST over WebSocket came with 22.4; engine/host/asterisk_program.py says the same.
readonly OLDEST=22.4
readonly OWN=.asterisk FRESH=.asterisk.new

# The version that `COMMAND… -V` prints, else nothing.
version_of() { { "$@" -V 2>/dev/null || true; } | sed -nE 's/^Asterisk (certified\/)?([0-9]+\.[0-9][^ ]*).*/\2/p'; }

new_enough() { [[ -n $1 && $(printf '%s\n' $OLDEST "$1" | sort -V | head -n 1) == "$OLDEST" ]]; }

version_in() {
    local library loader
    library=$1/usr/lib/$(uname -m)-linux-gnu
    loader=$(compgen -G "$library/ld-linux*.so.*" || compgen -G "$1/usr/lib64/ld-linux*.so.*" || true)
    [[ -z $loader ]] || version_of "${loader%%$'\n'*}" --library-path "$library" "$1/usr/sbin/asterisk"
}

find_asterisk() {
    local on_path version
    too_old='' found=''
    on_path=${HOTLINE_ASTERISK:-$(command -v asterisk || true)}
    if [[ -n $on_path ]]; then
        version=$(version_of "$on_path")
        if new_enough "$version"; then
            found="$version at $on_path"
            return
        fi
        too_old="Asterisk ${version:-of unknown version} at $on_path is too old, and "
    fi
    version=$(version_in $OWN)
    ! new_enough "$version" || found="$version in $OWN"
}

unpack() {
    local mode=(--mode=chrootless)
    # mmdebstrap fears for the packages' scripts running as root outside of a chroot: extracting runs none.
    [[ $(id -u) != 0 ]] || mode+=(--skip=check/chrootless)
    # Mirrors that lag behind serve sid with a date that has passed.
    quietly env LC_ALL=C.UTF-8 mmdebstrap "${mode[@]}" --variant=extract --include=asterisk \
        --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Check-Valid-Until "false"' \
        --aptopt='Acquire::Retries "2"' sid $FRESH ${HOTLINE_DEBIAN_MIRROR:+"$HOTLINE_DEBIAN_MIRROR"}
}

find_asterisk
if [[ ${1:-} == there ]]; then
    [[ -n $found ]]
    exit
fi

step Asterisk
if [[ -n $found ]]; then
    done_step "$found"
    exit
fi
remedy="install Asterisk $OLDEST or newer yourself, and have it on PATH or in HOTLINE_ASTERISK"
for tool in dpkg mmdebstrap; do
    command -v $tool >/dev/null || stop "${too_old}there is no $tool to get Debian's with; install it, or $remedy"
done
architecture=$(dpkg --print-architecture)
[[ $architecture == @(amd64|arm64) ]] ||
    stop "${too_old}Debian's runs here only on amd64 and arm64, and this is $architecture; $remedy"
require_space 600 Asterisk

log_to asterisk
doing "unpacking Debian sid's, 270 MB"
trap 'rm -rf $FRESH' EXIT
rm -rf $FRESH
if ! unpack; then
    ! network_failed || stop "${too_old}Debian's mirror cannot be reached; check the network and http_proxy, name a mirror with HOTLINE_DEBIAN_MIRROR=URL, or $remedy"
    stop "${too_old}mmdebstrap could not unpack Debian's; the lines above say why; or $remedy"
fi
version=$(version_in $FRESH)
new_enough "$version" || stop "${too_old}Debian's Asterisk ${version:-does not run here}${version:+ is too old}; $remedy"
rm -rf $OWN
mv $FRESH $OWN
done_step "$version in $OWN"
