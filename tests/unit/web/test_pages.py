from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autostack.web.pages import CursorInvalid, decode, encode


def test_a_cursor_leads_back_to_its_row() -> None:
    at, row = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), uuid4()

    assert decode(encode(at, row)) == (at, row)


@given(st.text(max_size=80))
def test_any_other_text_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(CursorInvalid):
        decode(text)
