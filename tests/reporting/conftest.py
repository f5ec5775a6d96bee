"""A workspace of its own for each module that asks for one, so that no test writes into the checkout."""

import pytest

from toolkit.share import WORKSPACE_VARIABLE


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("工作 workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(WORKSPACE_VARIABLE, str(folder))
        yield folder
