"""Lexicon files: what they may hold, and the error that names the place of each mistake."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.errors import UsageError
from indexes.unsafe_lexicon import read_lexicon
from indexes.unsafe_terms import UnsafeTerms

HEADER = "format: 1\nname: own\nlanguage: zh\n"


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "own.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_lexicon_is_read_with_its_places(tmp_path: Path) -> None:
    content = "\ufeff# ours\n" + HEADER + "\n[tobacco severity=2 match=word pinyin=no]\n 香烟 \n\n# more\nvape\n"
    lexicon = read_lexicon(write(tmp_path, content + "[exceptions]\n香烟壳\n"))
    assert (lexicon.name, lexicon.language, lexicon.exceptions) == ("own", "zh", {"香烟壳": 12})
    first, second = lexicon.terms
    assert (first.text, first.category, first.severity, first.match, first.line) == ("香烟", "tobacco", 2, "word", 7)
    assert (second.text, second.line, second.has_pinyin) == ("vape", 10, False)


def test_line_endings_of_windows_change_nothing(tmp_path: Path) -> None:
    content = HEADER + "[a severity=1]\n香烟\n"
    assert [term.text for term in read_lexicon(write(tmp_path, content.replace("\n", "\r\n"))).terms] == ["香烟"]


@pytest.mark.parametrize(
    ("content", "line", "key"),
    [
        ("format: 2\n", 1, "format '2'"),
        ("format: 1\nformat: 1\n", 2, "format is given twice"),
        ("format: 1\nlanguage: de\n", 2, "language 'de'"),
        ("format: 1\nname:\n", 2, "name is empty"),
        ("format: 1\nauthor: me\n", 2, "'author: me'"),
        ("赌博\n", 1, "'赌博' is neither a header line"),
        ("format: 1\nname: own\n[a severity=1]\n", 3, "lacks language"),
        (HEADER + "[a severity=1\n", 4, "closing ]"),
        (HEADER + "[]\n", 4, "'' is no category"),
        (HEADER + "[Porn! severity=1]\n", 4, "'Porn!' is no category"),
        (HEADER + "[a]\n", 4, "severity is missing"),
        (HEADER + "[a severity=4]\n", 4, "'severity=4'"),
        (HEADER + "[a severity=1 match=fuzzy]\n", 4, "'match=fuzzy'"),
        (HEADER + "[a severity=1 colour=red]\n", 4, "'colour=red'"),
        (HEADER + "[exceptions severity=1]\n", 4, "exceptions take no options"),
        (HEADER + "[a severity=1]\n" + "长" * 101 + "\n", 5, "101 characters"),
        (HEADER + "[a severity=1]\nx\x00y\n", 5, r"U\+0000"),
        (HEADER.encode() + "[a severity=1]\n赌博\n".encode("gb18030"), 5, "not UTF-8"),
    ],
)
def test_a_mistake_is_named_with_file_line_key_and_remedy(
    tmp_path: Path, content: str | bytes, line: int, key: str
) -> None:
    with pytest.raises(UsageError, match=rf"own\.txt, line {line}: .*{key}") as caught:
        read_lexicon(write(tmp_path, content))
    assert caught.value.remedy and caught.value.exit_code == 2


@pytest.mark.parametrize("content", ["", HEADER, HEADER + "[a severity=1]\n", "# nothing\n"])
def test_a_list_that_lost_its_terms_is_not_taken_for_an_empty_one(tmp_path: Path, content: str) -> None:
    with pytest.raises(UsageError, match=r"own\.txt holds no term"):
        UnsafeTerms.load([write(tmp_path, content)])


def test_a_list_that_cannot_be_read_stops_the_loading(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.txt", tmp_path):
        with pytest.raises(UsageError, match=r"cannot be read.*nothing unaudited"):
            UnsafeTerms.load([path])


def test_a_term_cannot_be_its_own_exception(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + "[a severity=1]\n香烟\n[exceptions]\n香煙\n")
    with pytest.raises(UsageError, match=r"own\.txt, line 5: '香烟' is both a term and an exception \(line 7\)"):
        UnsafeTerms.load([path])


def test_more_categories_than_bits_are_refused(tmp_path: Path) -> None:
    sections = "".join(f"[own{number} severity=1]\n第{number}号香烟\n" for number in range(29))
    with pytest.raises(UsageError, match="33 categories; 32 fit"):
        UnsafeTerms.load([write(tmp_path, HEADER + sections)])


def test_the_fingerprint_follows_every_byte_of_every_list(tmp_path: Path) -> None:
    content = HEADER + "[a severity=1]\n香烟\n"
    path = write(tmp_path, content)
    before = UnsafeTerms.load([path]).sha256
    assert UnsafeTerms.load([path]).sha256 == before
    write(tmp_path, content + "# seen\n")
    assert UnsafeTerms.load([path]).sha256 != before


@given(st.binary(max_size=200))
def test_no_file_is_read_without_terms_or_a_clear_error(tmp_path_factory: pytest.TempPathFactory, tail: bytes) -> None:
    path = write(tmp_path_factory.mktemp("lexicon"), HEADER.encode() + tail)
    try:
        lexicon = read_lexicon(path)
    except UsageError as error:
        assert str(path) in str(error) and error.remedy
    else:
        assert lexicon.terms or lexicon.exceptions
