#!/usr/bin/env bash
# Writes requirements.lock and requirements-dev.lock from pyproject.toml, with uv in a .venv of its own.
# Versions that are locked already stay, unless it is given --upgrade.
set -euo pipefail
cd "$(dirname "$0")/.."
. setup/say.sh

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
step "locks"
python=$(find_python) || stop "there is no Python $OLDEST_PYTHON or newer that can make a venv; \`make lint\` installs it"
log_to lock
quietly "$python" -m venv "$tools" || stop "$python could not make a venv"
quietly "$tools/bin/python" -m pip install uv || stop "pip could not install uv"

# uv does not read pip's configuration, which says where this machine gets its packages from.
index=$("$tools/bin/python" -m pip config get global.index-url 2>/dev/null || true)
export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-${PIP_INDEX_URL:-$index}}
[[ -n $UV_DEFAULT_INDEX ]] || unset UV_DEFAULT_INDEX

compile() {
    quietly "$tools/bin/uv" pip compile --universal --generate-hashes --no-emit-index-url --no-header \
        --python-version $OLDEST_PYTHON --native-tls "$@" pyproject.toml || stop "uv could not solve pyproject.toml"
}
compile "$@" -o requirements.lock
compile "$@" --extra dev -o requirements-dev.lock
done_step "$(git diff --stat -- 'requirements*.lock' | tail -n 1 | grep . || echo unchanged)"
