"""What a caller can be told: prompts by name, their recordings and their words."""

from engine.sounds.catalogue import LANGUAGES, Sounds, UnknownPrompt
from engine.sounds.recordings import UnusableSounds

__all__ = ["LANGUAGES", "Sounds", "UnknownPrompt", "UnusableSounds"]
