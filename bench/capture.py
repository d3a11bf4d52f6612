"""The signalling and the keys of a run as tcpdump saw them on the loopback interface."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

from bench import voice
from bench.children import spawn
from bench.network import Network
from bench.system import BenchError

_SNAPLEN = 2048
_KERNEL_BUFFER_KIB = 32 * 1024
_READY = b"listening on"


class Capture:
    def __init__(self, pcap: Path, log: Path) -> None:
        self.pcap = pcap
        self.log = log

    def dropped(self) -> int:
        """Packets the kernel could not hand over; known once the capture has ended."""
        found = re.search(r"(\d+) packets? dropped by kernel", self.log.read_text())
        if found is None:
            raise BenchError(f"tcpdump ended without its counts: {self.log.read_text().strip()[-300:]}")
        return int(found[1])


@contextlib.asynccontextmanager
async def capturing(network: Network, workdir: Path) -> AsyncIterator[Capture]:
    """Capture SIP of all parties and the callers' own RTP (their keys) while the block runs."""
    capture = Capture(workdir / "wire.pcap", workdir / "tcpdump.log")
    # Speech is not captured: 50 packets a second and call that nobody needs to see.
    sip = f"port {network.system.port} or port {network.agents.port}"
    speech = f"udp[8] = 0x80 and udp[9] = {voice.PCMA}"
    wanted = f"udp and not ({speech}) and (src host {network.caller.host} or {sip})"
    pcap = os.open(capture.pcap, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        # Written through our descriptor: tcpdump may not be allowed to open a file here itself.
        command = ["tcpdump", "-i", "lo", "-n", "-w", "-", "-s", str(_SNAPLEN), "-B", str(_KERNEL_BUFFER_KIB)]
        if os.geteuid() == 0:
            # Changing its user would undo what ends it together with us (prctl(2), PR_SET_PDEATHSIG).
            command += ["-Z", "root"]
        command.append(wanted)
        tcpdump = await spawn("tcpdump", command, log=capture.log, stdout=pcap)
    finally:
        os.close(pcap)
    try:
        try:
            await tcpdump.until(lambda: _READY in capture.log.read_bytes(), timeout=10)
        except BenchError as refused:
            raise BenchError(f"{refused} Capturing needs root or CAP_NET_RAW.") from refused
        yield capture
    finally:
        await tcpdump.stop(first=signal.SIGINT)
