"""Page tokens: what was encoded is decoded, anything else is refused."""

import base64
import hashlib
import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.errors import UsageError
from kr.envelope import request_hash
from kr.types import Filters, PageTopic, Request
from webui.page_tokens import PageToken, decode_page_token

tokens = st.builds(PageToken, st.integers(1, 10_000), st.text(), st.text())


@given(tokens)
def test_a_token_decodes_to_what_it_was_made_of(token: PageToken) -> None:
    assert decode_page_token(token.encode()) == token


@given(st.text(max_size=200))
def test_any_other_text_is_refused_and_never_fails_otherwise(text: str) -> None:
    try:
        decode_page_token(text)
    except UsageError as error:
        assert "page_token" in str(error)


@pytest.mark.parametrize(
    "content",
    [b"[]", b"{}", b'[1,-3,"a","b"]', b'[1,0,"a","b"]', b'[1,true,"a","b"]', b'[2,5,"a","b"]', b'[1,5,6,"b"]'],
)
def test_a_forged_token_is_refused(content: bytes) -> None:
    with pytest.raises(UsageError):
        decode_page_token(base64.urlsafe_b64encode(content).decode())


@given(tokens, st.data())
def test_a_token_cut_short_is_refused_or_unequal(token: PageToken, data: st.DataObject) -> None:
    text = token.encode()
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    with pytest.raises(UsageError):
        decode_page_token(cut)


def test_a_token_fits_its_own_request_on_any_page_and_no_other() -> None:
    request = Request(("鲜花",), Filters(min_searches=3), limit=10, parameters={"t": 0.5})
    token = PageToken.after(request, 10, "s1")
    token.check_request(request)
    token.check_request(Request(("鲜花",), Filters(min_searches=3), limit=10, offset=10, parameters={"t": 0.5}))
    with pytest.raises(UsageError):
        token.check_request(Request(("鲜花",), Filters(min_searches=4), limit=10, parameters={"t": 0.5}))
    with pytest.raises(UsageError):
        token.check_snapshot("s2")


requests = st.builds(
    Request,
    st.lists(st.text(), max_size=3).map(tuple),
    st.builds(Filters, min_searches=st.none() | st.integers(), languages=st.lists(st.text(), max_size=2).map(tuple)),
    parameters=st.dictionaries(st.text(), st.floats(0, 1), max_size=2),
    page_topics=st.lists(st.builds(PageTopic, st.text(), st.floats(0, 1), st.just(("title",))), max_size=2).map(tuple),
)


@given(requests, st.text())
def test_the_name_of_a_request_is_that_of_all_its_fields(request: Request, snapshot: str) -> None:
    """It stands in page tokens and as request id: what was given out must stay valid."""
    canonical = json.dumps([asdict(request), snapshot], sort_keys=True)
    assert request_hash(request, snapshot) == hashlib.sha256(canonical.encode()).hexdigest()[:16]
