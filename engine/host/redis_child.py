"""The Redis that a hotline starts for itself."""

from __future__ import annotations

from pathlib import Path

# A line's ready agents and waiting callers are sorted sets, the lines' heads a hash. The small ones Redis keeps as flat
# lists and looks through one by one: with the usual limit of 128, the middling ones are the slow ones.
FLAT_AT_MOST = 16
# The log is rewritten when it has doubled; at the rate of a busy ACD, the usual 64 MB would be reached every minute.
REWRITTEN_FROM = "256mb"
# How often a second it looks around by itself. Nothing here waits for that: what we set expires when it is looked at.
LOOKS_A_SECOND = "4"


def argv(socket: Path, folder: Path) -> list[str]:
    """On a socket for its owner only, no port; every change is in the log within a second."""
    command = ["redis-server", "--unixsocket", str(socket), "--unixsocketperm", "700", "--port", "0"]
    command += ["--dir", str(folder), "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
    command += ["--zset-max-listpack-entries", str(FLAT_AT_MOST), "--hash-max-listpack-entries", str(FLAT_AT_MOST)]
    command += ["--auto-aof-rewrite-min-size", REWRITTEN_FROM, "--latency-tracking", "no"]
    command += ["--hz", LOOKS_A_SECOND]
    return command
