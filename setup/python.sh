#!/usr/bin/env bash
# Makes .venv with exactly the packages of requirements-dev.lock, and this project in it.
set -euo pipefail
cd "$(dirname "$0")/.."
. setup/say.sh

readonly STAMP=.venv/.made-from

step "Python packages"
python=$(find_python) ||
    stop "there is no Python $OLDEST_PYTHON or newer that can make a venv; Debian 12 has it in python3-venv, or name yours with PYTHON=/path/to/python3"
made_from=$({ "$python" -c 'import sys; print(sys.version, sys.executable)' && pwd && cat requirements-dev.lock pyproject.toml; } | sha256sum)

if [[ $(cat $STAMP 2>/dev/null) == "$made_from" ]] && .venv/bin/python -c 'import engine' 2>/dev/null; then
    done_step there
    exit
fi

require_space 600 "the Python packages"
log_to python
doing "$(grep -c == requirements-dev.lock) of them into .venv"
version='import sys; print(sys.version_info[:2], sys.base_prefix)'
if [[ $(.venv/bin/python -c "$version" 2>/dev/null) != "$("$python" -c "$version")" ]]; then
    # What cannot be used is made anew, and not left half made.
    rm -rf .venv
    trap '[[ -f $STAMP ]] || rm -rf .venv' EXIT
    quietly "$python" -m venv .venv || stop "$python could not make .venv; the lines above say why"
fi
rm -f $STAMP
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
if ! quietly .venv/bin/python -m pip install --require-hashes --only-binary :all: -r requirements-dev.lock; then
    ! network_failed || stop "the Python package index cannot be reached; check the network, the proxy and pip's configuration, then run this again"
    stop "pip could not install requirements-dev.lock; the lines above say why"
fi
quietly .venv/bin/python -m pip install --no-deps --no-build-isolation -e . ||
    stop "pip could not install this project into .venv; the lines above say why"
echo "$made_from" >$STAMP
done_step installed
