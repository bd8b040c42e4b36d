import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autostack.features.projects.errors import ProjectNameInvalid
from autostack.features.projects.names import LONGEST_LABEL, candidate, is_reserved, label

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


@pytest.mark.attack("B13")
@given(st.text(max_size=100))
def test_a_name_becomes_a_dns_label_or_is_refused(name: str) -> None:
    try:
        found = label(name)
    except ProjectNameInvalid:
        return

    assert LABEL.fullmatch(found)
    assert len(found) <= LONGEST_LABEL


@given(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", fullmatch=True))
def test_a_second_choice_is_a_label_too_and_never_reserved(slug: str) -> None:
    found = candidate(slug, 1, "a1b2")

    assert LABEL.fullmatch(found)
    assert len(found) <= LONGEST_LABEL
    assert found.endswith("-a1b2")


@pytest.mark.attack("X08")
@pytest.mark.parametrize("slug", ["www", "api", "xn--80ak6aa92e", "ab--c"])
def test_labels_that_mean_something_else_are_kept_back(slug: str) -> None:
    assert is_reserved(slug)
    assert candidate(slug, 0, "a1b2") != slug
