"""An interrupt from the keyboard while chapters run side by side."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from toolkit.share import WORKSPACE_VARIABLE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="no signal reaches another process there"),
]


@pytest.mark.parametrize("delay", [0.0, 2.0], ids=["as it starts", "in a chapter"])
def test_a_run_that_is_interrupted_breaks_off_and_leaves_nothing(checkout: Path, tmp_path, delay):
    command = [sys.executable, str(checkout / "junheng_command.py"), "run"]
    command += [str(checkout / "data" / "demo_county.xlsx"), "--fresh", "-o", str(tmp_path / "reports")]
    environment = os.environ | {WORKSPACE_VARIABLE: str(tmp_path), "PYTHONPATH": str(checkout)}
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as run:
        assert run.stderr is not None
        for line in run.stderr:
            if "group schooling" in line:
                break
        time.sleep(delay)
        # To this process alone: kernels get nothing.
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=180)
    assert run.returncode == 130
    assert "已中断" in out + err
    assert list((tmp_path / "reports").iterdir()) == []
