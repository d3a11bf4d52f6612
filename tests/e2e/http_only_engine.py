"""An engine that is not to use REST over WebSocket: `python -m tests.e2e.http_only_engine SITE STATE PORT_BASE`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from engine.app import Engine, Settings
from engine.config import site as sites
from engine.host.state import Ports, State
from engine.logs import configure


def main() -> None:
    site, folder, base = sys.argv[1:]
    state, ports = State(Path(folder)), Ports(int(base))
    settings = Settings(
        state=state,
        redis_url=f"unix://{state.redis_socket}?db=0",
        database_url=state.database_url,
        ari_url=f"http://127.0.0.1:{ports.ari}/ari",
        ari_user="hotline",
        ari_password=state.secret("ari"),
        ami_port=ports.ami,
        ami_secret=state.secret("ami"),
        drain_s=5.0,
        rest_over_websocket=False,
    )
    configure()

    async def serve() -> None:
        await Engine(sites.load(Path(site)), settings).run()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
