"""A day of a hotline in seconds: the ACD's own Redis functions in virtual time, for what-if questions.

Where `engine.simulator` plays one call through the flows, this plays thousands through the queues (docs/simulation.md).
"""
