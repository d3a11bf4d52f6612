"""Benchmarks: the demo call through the engine and through plain app_queue, measured from the wire."""
