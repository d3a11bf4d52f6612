#!/usr/bin/env bash
# Makes this checkout ready for one thing, or for all: setup/setup.sh [all|demo|test|bench|lint].
# What is there already is left alone. On a machine that will not do it says why, and what to do, in one sentence.
set -euo pipefail
cd "$(dirname "$0")/.."
. setup/say.sh

case ${1:-all} in
    lint) needs=(venv luacheck) asterisk='' ;;
    demo) needs=(venv redis) asterisk=1 ;;
    test) needs=(venv redis postgresql espeak-ng) asterisk=1 ;;
    bench) needs=(venv redis sipp tcpdump) asterisk=1 ;;
    all) needs=(venv luacheck redis postgresql espeak-ng sipp tcpdump) asterisk=1 ;;
    *) stop "setup.sh takes all, demo, test, bench or lint" ;;
esac

# Two at once would get into each other's way: the second waits here.
exec 9<setup
flock 9

if [[ -z $asterisk ]]; then
    STEP=1/2 setup/packages.sh "${needs[@]}"
    STEP=2/2 setup/python.sh
else
    setup/asterisk.sh there || needs+=(mmdebstrap)
    STEP=1/3 setup/packages.sh "${needs[@]}"
    STEP=2/3 setup/python.sh
    STEP=3/3 setup/asterisk.sh
fi
