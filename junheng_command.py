"""The command `junheng`, kept outside `toolkit` so that it works when another package took that name.

An unrelated package on the Python package index is called `toolkit` too. Where both are installed, or a
folder of that name comes first on the path, `import toolkit` brings in a stranger; this module notices before
it is imported.
"""

import importlib.util
import io
import os
import re
import sys
from pathlib import Path

MARK = re.compile(r'^__distribution__ = "junheng"$', re.MULTILINE)


def foreign_toolkit() -> str | None:
    """Return where the `toolkit` that Python would import lies, or None when it is Junheng's own."""
    spec = importlib.util.find_spec("toolkit")
    if spec is None:
        return "—"
    if spec.origin is None:
        return ", ".join(spec.submodule_search_locations or ["—"])
    origin = Path(spec.origin)
    source = origin.read_text(encoding="utf-8", errors="replace") if origin.suffix == ".py" else ""
    return None if MARK.search(source) else str(origin)


def speak_utf8() -> None:
    """Make this console, and every process started from here, UTF-8 whatever the system's code page."""
    os.environ["PYTHONUTF8"] = "1"
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def main() -> int:
    """Run the command line, or say which foreign package stands in its way."""
    speak_utf8()
    stranger = foreign_toolkit()
    if stranger is not None:
        print(
            f"找到的 toolkit 不是均衡的软件包:{stranger}\n"
            "请卸载它(pip uninstall toolkit)或移开该文件夹,然后重新安装 junheng。\n"
            f"The toolkit found here is not Junheng's: {stranger}\n"
            "Uninstall it (pip uninstall toolkit) or move that folder away, then install junheng again.",
            file=sys.stderr,
        )
        return 1
    from toolkit.cli import main as run

    return run() or 0


if __name__ == "__main__":
    sys.exit(main())
