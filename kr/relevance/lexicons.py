"""The word lists that a model knows: synonyms, and named things by kind. They travel with the model as arrays.

A lexeme is the number of a token that some list holds; 0 stands for all others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexes.arrays import ArrayFolder, write_array, write_json
from indexes.vocabulary import StringList, write_strings
from kr.relevance.synonyms import Senses, SynonymGroup, senses_of, single_word
from kr.relevance.terms import PLACE, PLACES_FILE, NamedTerms, Trie, read_terms, trie_of


@dataclass(frozen=True)
class Lexicons:
    """`lexemes` numbers tokens from 1; `kinds` of things in the order of the trie's columns."""

    lexemes: dict[str, int]
    senses: Senses
    kinds: tuple[str, ...]
    trie: Trie

    @staticmethod
    def of(groups: Sequence[SynonymGroup] = (), terms: Sequence[NamedTerms] = ()) -> "Lexicons":
        """Number the tokens and build both indexes; synonyms that are several tokens are left out."""
        held = {token for group in groups for word in group.words if (token := single_word(word)) is not None}
        held.update(token for kind in terms for names in kind.things for name in names for token in name)
        lexemes = {token: number for number, token in enumerate(sorted(held), 1)}
        return Lexicons(
            lexemes, senses_of(groups, lexemes), tuple(kind.kind for kind in terms), trie_of(terms, lexemes)
        )

    def write(self, folder: Path) -> None:
        """Write below `folder/lexicons`."""
        write_strings(folder, "lexicons/lexemes", list(self.lexemes))
        write_json(folder, "lexicons/kinds.json", list(self.kinds))
        for name, array in (("offsets", self.senses.offsets), ("senses", self.senses.senses)):
            write_array(folder, f"lexicons/senses/{name}.npy", array)
        for name in ("first", "keys", "targets", "things"):
            write_array(folder, f"lexicons/trie/{name}.npy", getattr(self.trie, name))

    @staticmethod
    def read(folder: Path) -> "Lexicons":
        """Read what `write` wrote."""
        reader = ArrayFolder(folder)

        def arrays(part: str, *names: str) -> list[np.ndarray]:
            return [np.ascontiguousarray(reader.array(f"lexicons/{part}/{name}.npy")) for name in names]

        words = StringList(reader, "lexicons/lexemes")
        return Lexicons(
            {word: number for number, word in enumerate(words, 1)},
            Senses(*arrays("senses", "offsets", "senses")),
            tuple(reader.json("lexicons/kinds.json")),
            Trie(*arrays("trie", "first", "keys", "targets", "things")),
        )


def shipped_terms(files: Sequence[tuple[str, Path]] = ()) -> tuple[NamedTerms, ...]:
    """The terms that come with KR, and those of these files, as (kind, file)."""
    return read_terms([(PLACE, PLACES_FILE), *files])
