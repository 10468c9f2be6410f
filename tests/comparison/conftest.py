"""A transformer that is watched, with nothing seen so far."""

import pytest
from compared import Recording


@pytest.fixture
def recorded():
    Recording.fitted.clear()
    Recording.seen.clear()
    return Recording
