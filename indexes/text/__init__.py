"""The one place where text becomes keywords and tokens, for build and query alike."""

from indexes.text.fingerprint import fingerprint
from indexes.text.language import language
from indexes.text.normalise import normalise
from indexes.text.segment import tokens, words

__all__ = ["fingerprint", "language", "normalise", "tokens", "words"]
