"""What a caller can be told: prompts by name, their recordings and their words."""

from engine.sounds.catalogue import LANGUAGES, Sounds
from engine.sounds.prompt import Prompt, Source, UnknownPrompt
from engine.sounds.recordings import UnusableSounds

__all__ = ["LANGUAGES", "Prompt", "Sounds", "Source", "UnknownPrompt", "UnusableSounds"]
