"""Calls without a telephone: the real flows and their steps, on a leg that is made up and a clock that does not wait."""
