"""`python -m examples.identity_server --port 9090 --secret-file FILE`"""

import argparse
import sys
from pathlib import Path

from aiohttp import web

from examples.identity_server.server import create_app


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m examples.identity_server", description=__doc__)
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=9090)
    options.add_argument("--secret-file", type=Path, required=True, help="the secret shared with the engine")
    options.add_argument("--customers", type=Path, default=Path(__file__).with_name("customers.yaml"))
    given = options.parse_args()
    try:
        secret = given.secret_file.read_text(encoding="utf-8").strip()
        if not secret:
            sys.exit(f"{given.secret_file} is empty: write a secret into it, the same that the engine has")
        app = create_app(given.customers, secret)
        web.run_app(app, host=given.host, port=given.port, access_log=None)
    except OSError as error:
        sys.exit(f"identity server: {error}")


if __name__ == "__main__":
    main()
