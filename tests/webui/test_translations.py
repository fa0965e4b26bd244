"""The Chinese catalog: complete, in step with the pages, compiled, and with the same placeholders."""

import re
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo

from webui.translation_catalog import TRANSLATIONS, extracted_messages, po_file, read_catalog

LANGUAGES = sorted(path.name for path in TRANSLATIONS.iterdir() if path.is_dir())
REMEDY = "run python -m webui.translation_catalog, translate what is empty, and run it again"


def first_forms(catalog: Catalog) -> dict[str, str]:
    """Each message, or its singular, and the first form of its translation: Chinese has one form."""

    def first(text: Any) -> str:
        return str(text if isinstance(text, str) else text[0])

    return {first(message.id): first(message.string) for message in catalog if message.id}


def test_there_is_a_catalog_for_chinese() -> None:
    assert "zh" in LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_of_the_pages_is_translated_and_none_is_left_over(language: str) -> None:
    wanted = {message.id for message in extracted_messages() if message.id}
    catalog = read_catalog(language)
    assert {message.id for message in catalog if message.id} == wanted, REMEDY
    missing = [message.id for message in catalog if message.id and (not message.string or not all(message.string))]
    assert not missing, REMEDY
    assert not [message.id for message in catalog if message.id and message.fuzzy]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalog_says_what_the_written_one_says(language: str) -> None:
    with po_file(language).with_suffix(".mo").open("rb") as file:
        served = first_forms(read_mo(file))
    assert served == first_forms(read_catalog(language)), REMEDY


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_use_only_placeholders_that_the_message_has(language: str) -> None:
    for message in read_catalog(language):
        originals = message.id if isinstance(message.id, tuple) else (message.id,)
        allowed = {name for text in originals for name in re.findall(r"%\((\w+)\)", text)}
        translations = message.string if isinstance(message.string, tuple) else (message.string,)
        for text in translations:
            assert set(re.findall(r"%\((\w+)\)", text)) <= allowed, message.id
            if message.id and "%" in text:
                assert "%(" in text or "%%" in text or "%" in originals[0]


def test_no_text_of_a_page_is_left_outside_the_catalog() -> None:
    from pathlib import Path

    for path in sorted((Path(TRANSLATIONS).parent / "templates").glob("*.html")):
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"\{% block page_class %\}.*?\{% endblock %\}", "", text)
        text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", "", text, flags=re.DOTALL)
        text = re.sub(r"<[^>]*>", " ", text)
        words = set(re.findall(r"[A-Za-z]{3,}|[\u4e00-\u9fff]+", text)) - {
            "OpenAPI",
            "API",
            "POST",
            "keyword",
            "ideas",
            "api",
            "UTC",
        }
        assert not words, f"{path.name}: {words}"
