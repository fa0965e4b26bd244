"""What is refused is refused in the language of who asks, naming the place and the remedy in both."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

import webui.api
from indexes.errors import KRError, Message, UsageError
from kr.marketing.rules import rules_of_toml
from kr.mistakes import FIELD_MISTAKES, message_of
from kr.store.named_versions import StaleVersion
from webui.error_messages import error_texts
from webui.translation_catalog import read_catalog

NOT_WRITTEN_OUT = {
    ("indexes/unsafe_lexicon.py", "remedy"),  # a Message, by the type of the parameter
    ("webui/judging.py", "error.text_zh if page_language() == 'zh' else error.text_en"),  # has both languages
    ("webui/api/problems.py", "self.kind.title"),  # a ProblemType, found where it is made
}
CHINESE = {str(entry.id): str(entry.string) for entry in read_catalog("zh") if entry.id}


def in_chinese(error: KRError | Message) -> str:
    return error.said(lambda template: CHINESE.get(template, template))


def test_every_text_of_an_error_that_can_be_shown_is_written_out_as_a_template() -> None:
    hidden = {(text.file, text.code) for text in error_texts() if text.template is None}
    assert hidden == NOT_WRITTEN_OUT, "write the template out where the error is raised, and give it its values"


def test_every_text_of_an_error_that_can_be_shown_is_translated_with_the_values_that_it_has() -> None:
    templates = {text.template for text in error_texts() if text.template}
    assert len(templates) > 400
    for template in templates:
        chinese = CHINESE.get(template)
        assert chinese, f"not in the catalog: {template}"
        assert set(re.findall(r"\{(\w+)", chinese)) <= set(re.findall(r"\{(\w+)", template)), template


def models_that_the_api_reads() -> list[type[BaseModel]]:
    from importlib import import_module
    from pkgutil import iter_modules

    modules = [import_module(f"webui.api.{module.name}") for module in iter_modules(webui.api.__path__)]
    return sorted(
        {
            model
            for module in modules
            for model in vars(module).values()
            if isinstance(model, type) and issubclass(model, BaseModel) and model.model_config.get("extra") == "forbid"
        },
        key=lambda model: f"{model.__module__}.{model.__name__}",
    )


WRONG: list[Any] = [
    None,
    "",
    "x" * 5_000,
    "2026-13-45",
    -1,
    10**30,
    1.5,
    float("nan"),
    True,
    [],
    ["x"] * 30_000,
    {},
    {"op": "x"},
]


def test_whatever_is_wrong_with_a_field_is_said_in_chinese() -> None:
    models = models_that_the_api_reads()
    assert len(models) > 15
    known = {*FIELD_MISTAKES, *CHINESE}
    for model in models:
        for value in WRONG:
            try:
                model.model_validate(dict.fromkeys(model.model_fields, value))
            except ValidationError as error:
                for mistake in error.errors(include_url=False):
                    if mistake["type"] == "extra_forbidden":
                        continue
                    message = message_of(mistake)
                    assert message.template in known, (model, mistake)
                    assert str(message) == mistake["msg"].removeprefix("Value error, ")


@given(st.text(max_size=20).map(str.strip), st.integers())
def test_values_are_put_into_a_message_as_they_are(name: str, count: int) -> None:
    error = UsageError(
        "There is a list “{name}” of {count:,}.", "Choose another {kind}.", name=name, count=count, kind="one"
    )
    assert str(error) == f"There is a list “{name}” of {count:,}. Choose another one."
    assert str(UsageError(name)) == Message(name).said() == name
    assert error.said(lambda template: template.replace("There", "Where")).startswith(f"Where is a list “{name}”")


def test_a_value_that_is_a_message_is_translated_with_the_message() -> None:
    stale = StaleVersion(Message("plan"), "Spring", 7)
    assert str(stale).startswith("The plan 'Spring' was changed by somebody else meanwhile; it is at version 7.")
    assert in_chinese(stale) == "计划“Spring”刚被别人修改过，现在是版本 7。请再看一遍，然后重做。"


@pytest.mark.parametrize(
    ("toml", "english", "chinese"),
    [
        (
            '[[rule]]\nname = "a"\naction = "boost"\nfactor = 0.5\n',
            "boost needs a factor above 1",
            "boost 需要大于 1 的系数",
        ),
        ('[[rule]]\nname = "a"\n', "action: Field required", "action：必填字段"),
        ("rule = 3", "must hold at most", "最多可有"),
    ],
)
def test_a_mistake_in_a_file_of_rules_names_its_place_in_both_languages(toml: str, english: str, chinese: str) -> None:
    with pytest.raises(UsageError) as caught:
        rules_of_toml(toml, "rules.toml", ())
    assert english in str(caught.value) and "rules.toml" in str(caught.value)
    assert chinese in in_chinese(caught.value) and "rules.toml" in in_chinese(caught.value)


def test_fields_with_mistakes_are_told_in_the_language_that_the_body_asks_for(client: FlaskClient) -> None:
    body = {"keyword_seed": {"keywords": ["鲜花"]}, "page_size": "x", "t": 1}
    english = client.post("/api/v1/keyword-ideas", json=body).json
    chinese = client.post("/api/v1/keyword-ideas", json={**body, "language": "zh"}).json
    assert english["detail"] == "2 fields have mistakes." and chinese["detail"] == "2 个字段有误。"
    assert [mistake["pointer"] for mistake in english["errors"]] == [
        mistake["pointer"] for mistake in chinese["errors"]
    ]
    assert {mistake["detail"] for mistake in chinese["errors"]} == {
        "应为整数",
        "未知字段；可用字段见 /api/v1/openapi.json",
    }
