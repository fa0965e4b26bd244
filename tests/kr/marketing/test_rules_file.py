"""Rules leave as a file and come back as they were."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from indexes.text import normalise
from kr.marketing.rules import Rule, rules_of_toml
from kr.marketing.rules_file import rules_as_toml
from kr.pipelines.keyword_search import SOURCES

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
keywords = texts.filter(normalise)
conditions = st.fixed_dictionaries(
    {},
    optional={
        "contains": st.lists(keywords, min_size=1, max_size=3),
        "languages": st.lists(st.sampled_from(["zh", "en", "other"]), min_size=1, unique=True),
    },
)
actions = st.one_of(
    st.builds(lambda f: {"action": "boost", "factor": f}, st.floats(1.001, 100)),
    st.builds(lambda f: {"action": "bury", "factor": f}, st.floats(1e-9, 0.999)),
    st.just({"action": "block"}),
    st.builds(lambda n: {"action": "quota", "source": "token_match", "most": n}, st.integers(0, 10**9)),
    st.builds(
        lambda n: {"action": "floor", "attribute": "bid", "least": n}, st.floats(allow_nan=False, allow_infinity=False)
    ),
)
rules = st.builds(
    lambda name, action, match, more: Rule.model_validate({"name": name, **action, "keywords": match, **more}),
    texts,
    actions,
    conditions,
    st.fixed_dictionaries(
        {},
        optional={
            "enabled": st.booleans(),
            "from": st.dates(max_value=date(2030, 1, 1)),
            "until": st.dates(min_value=date(2030, 1, 1)),
            "time_zone": st.sampled_from(["UTC", "Asia/Shanghai"]),
            "seeds": st.lists(keywords, min_size=1, max_size=2),
        },
    ),
)


@given(st.lists(rules, max_size=4))
def test_what_is_exported_is_what_is_imported(written: list[Rule]) -> None:
    assert list(rules_of_toml(rules_as_toml(written), "file", SOURCES)) == written
