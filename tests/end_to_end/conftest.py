"""A workspace of its own for each module, so that no test writes into the checkout."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUNHENG_WORKSPACE", str(folder))
        yield folder
