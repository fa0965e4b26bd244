"""Keeping webui/translations in step with the pages.

`python -m webui.translation_catalog` reads every message out of code and templates, merges them into each language's
messages.po (new ones empty, lost ones removed) and compiles the .mo files that are served. English needs no file: the
messages are English.
"""

import io
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from webui.error_messages import error_texts

PACKAGE = Path(__file__).parent
TRANSLATIONS = PACKAGE / "translations"
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
# A date of today would change the files when no message did.
_NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)
_OPTIONS = {"templates/**.html": {"silent": "false"}}


def extracted_messages() -> Catalog:
    """Every message in the package's code and templates, in the order of file and line; then those of errors."""
    catalog = Catalog(project="kr", charset="utf-8")
    found = extract_from_dir(PACKAGE, _METHODS, _OPTIONS)
    for file, _, message, comments, context in sorted(found, key=lambda item: (item[0], item[1])):
        # Files without lines: a template that only grows must not change every entry below.
        catalog.add(message, None, [(file, 0)], auto_comments=comments, context=context)
    for text in error_texts():
        if text.template:
            catalog.add(text.template, None, [(text.file, 0)])
    return catalog


def read_catalog(language: str) -> Catalog:
    """A language's messages.po; an empty catalog if there is none yet."""
    path = po_file(language)
    if not path.is_file():
        return Catalog(locale=language, project="kr", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language)


def po_file(language: str) -> Path:
    """Where a language's translations are written by people."""
    return TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"


def compiled(catalog: Catalog) -> bytes:
    """The .mo file of a catalog."""
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def update(language: str) -> int:
    """Bring a language's files in step with the pages; returns how many messages still need a translation."""
    catalog = read_catalog(language)
    catalog.update(extracted_messages(), no_fuzzy_matching=True)
    catalog.header_comment = (
        f"# What the pages say in {language}. Written by webui/translation_catalog.py but for the msgstr."
    )
    catalog.creation_date = catalog.revision_date = _NO_DATE
    catalog.last_translator = catalog.language_team = catalog.msgid_bugs_address = catalog.copyright_holder = "KR"
    catalog.version, catalog.fuzzy = "1", False
    path = po_file(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, ignore_obsolete=True, no_location=True)
    path.with_suffix(".mo").write_bytes(compiled(catalog))
    return sum(1 for message in catalog if message.id and not _is_translated(message.string))


def _is_translated(text: object) -> bool:
    return all(text) if isinstance(text, list | tuple) else bool(text)


if __name__ == "__main__":
    for name in sorted(path.name for path in TRANSLATIONS.iterdir() if path.is_dir()):
        print(f"{name}: {update(name)} messages to translate in {po_file(name)}")
