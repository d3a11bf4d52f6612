"""Hotline: the engine behind a 400 hotline on Asterisk."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("hotline")
except PackageNotFoundError:  # run from a checkout that was never installed
    VERSION = "0"
