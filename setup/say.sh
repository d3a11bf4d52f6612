# shellcheck shell=bash
# How the scripts of setup/ speak and stop, and what more than one of them has to know. Sourced, never run.

readonly OLDEST_PYTHON=3.11

# Begins a step: what is done now, and how far this is ([2/3]; empty when a script is run by itself).
step() {
    STEP_BEGAN=$SECONDS
    printf '%s%s …' "${STEP:+[$STEP] }" "$1"
    IN_STEP=1
}

# One more thing within the step.
doing() { printf ' %s …' "$1"; }

# Ends the step.
done_step() {
    printf ' %s' "$1"
    ((SECONDS - STEP_BEGAN < 2)) || printf ', %d s' $((SECONDS - STEP_BEGAN))
    printf '\n'
    IN_STEP=
}

# One sentence with the remedy, after the end of the log when there is one to look at; exit code 1.
stop() {
    [[ -z ${IN_STEP:-} ]] || printf '\n'
    if [[ -s ${LOG:-} ]]; then
        tail -n 12 "$LOG" | sed 's/^/    /' >&2
        printf 'setup: %s (all of it: %s)\n' "$1" "$LOG" >&2
    else
        printf 'setup: %s\n' "$1" >&2
    fi
    exit 1
}

# What the next commands print goes to var/log/setup-NAME.log.
log_to() {
    mkdir -p var/log 2>/dev/null || stop "cannot write to $PWD; run this as the user that the checkout belongs to"
    LOG=var/log/setup-$1.log
    : >"$LOG"
}

quietly() { "$@" >>"$LOG" 2>&1 </dev/null; }

# True when the log says that a host could not be reached, rather than that it said no.
network_failed() {
    grep -qiE 'could ?n.t resolve|failure (in name|resolving)|name resolution|could not connect|connection (refused|timed out|failed)|unable to connect|unreachable|timed out|NewConnectionError|NameResolutionError' "$LOG"
}

# require_space MB WHAT [FOLDER]
require_space() {
    local folder=${3:-$PWD} free remedy="free some space"
    [[ -n ${3:-} ]] || remedy+=", or put the checkout on another disk"
    free=$(df -Pm "$folder" | awk 'NR == 2 { print $4 }')
    ((free >= $1)) || stop "only $free MB free in $folder, $1 MB needed for $2; $remedy"
}

# The Python to use: $PYTHON, else the first one that is new enough and can make a venv.
find_python() {
    local python
    for python in "${PYTHON:-/usr/bin/python3}" python3 python3.11 python3.12 python3.13; do
        if "$python" -c "import ensurepip, venv, sys; sys.exit(sys.version_info < (${OLDEST_PYTHON/./, }))" 2>/dev/null; then
            command -v "$python"
            return
        fi
        [[ -z ${PYTHON:-} ]] || return 1
    done
    return 1
}
