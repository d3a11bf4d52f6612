"""Calls without a telephone: the real flows and their steps, on a leg that is made up, by a clock that jumps."""
