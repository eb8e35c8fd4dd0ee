"""What the sandbox's own tests share."""

import pytest

from tests.support.sandbox import Box
from tests.support.stories import Raw


@pytest.fixture
def api(box: Box) -> Raw:
    """Call the sandbox's Stories API bare."""
    return Raw(box.session, box.urls.stories_api)
