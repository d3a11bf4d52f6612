"""The ACD's rules in plain Python: what the Redis functions must do, written to be read, not to be fast.

Items and agents are looked through one by one, whatever could be kept is worked out anew, and only what the rules speak
of is remembered. Each verb answers as Redis does; the notices it causes are in `told`, as (engine, kind, token or item,
agent or reason). Where chance decides (random, weighted), the model is told what Redis drew, and checks that it might.
"""

from tests.acd.model.clock import Model
from tests.acd.model.records import ModelAgent, ModelItem

__all__ = ["Model", "ModelAgent", "ModelItem"]
