"""How two keywords of a click cluster are linked: keyword, page, keyword, page … keyword, by id instead of as text.

A path's steps are ids: of keywords at even places, of `click_paths/urls` at odd ones. A path takes some 24 bytes, of
which its text would take 200.
"""

from indexes.arrays import Array, ArrayReader
from indexes.errors import CorruptError
from indexes.vocabulary import StringList, Vocabulary

ARROW = " → "


class ClickPaths:
    """Paths by number, mapped."""

    def __init__(self, reader: ArrayReader, keywords: Vocabulary) -> None:
        self._keywords = keywords
        self._urls = StringList(reader, "click_paths/urls")
        self._offsets = reader.array("click_paths/offsets.npy")
        self._steps = reader.array("click_paths/steps.npy")
        if not len(self._offsets) or int(self._offsets[-1]) != len(self._steps):
            raise CorruptError(
                "The steps in click_paths/steps.npy do not fit click_paths/offsets.npy.",
                "Rebuild with manage.py build.",
            )

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def steps(self, path: int) -> Array:
        """The ids of a path, int32."""
        if not 0 <= path < len(self):
            raise IndexError(f"path {path} is not in 0..{len(self) - 1}")
        return self._steps[int(self._offsets[path]) : int(self._offsets[path + 1])]

    def __getitem__(self, path: int) -> str:
        """The path as text, from its first keyword to its last."""
        steps = self.steps(path).tolist()
        return ARROW.join(self._urls[step] if place % 2 else self._keywords[step] for place, step in enumerate(steps))
