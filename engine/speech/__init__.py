"""How a value is said: a number, an amount of money, a date, a time, in the words that are recorded.

Pure: text in, names of prompts out. The words behind the names are in engine/sounds/manifest.yaml.
"""

from engine.speech.say import LANGUAGES, Kind, prompts_for, vocabulary

__all__ = ["LANGUAGES", "Kind", "prompts_for", "vocabulary"]
