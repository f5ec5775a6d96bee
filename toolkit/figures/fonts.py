"""The font of the figures: found by path, checked, and asked what it lacks."""

import importlib.util
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

# Characters of county and school names that small fonts lack; a font without them is no Chinese font.
PROBE = "均衡县区犍郫氹（）−"

FONT_PACKAGE = "pylopdf_fonts_zh_cn"
FONT_FILE = "NotoSansSC-Regular.otf"
LATIN_FONT = "DejaVu Sans"
SYSTEM_FONTS = (
    "Noto Sans SC",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "SimHei",
    "WenQuanYi Micro Hei",
)


@dataclass(frozen=True, slots=True)
class FigureFont:
    """The font that figures are drawn with.

    Attributes
    ----------
    family : str
        Family name as matplotlib knows it.
    path : pathlib.Path
        The font file.
    origin : {"packaged", "system", "latin"}
        Where it was found. "latin" has no Chinese characters.
    """

    family: str
    path: Path
    origin: str


@cache
def figure_font() -> FigureFont:
    """Register the font of the figures with matplotlib and return it.

    The packaged font comes first, so that every machine draws the same figure; then a Chinese
    font of the system; then matplotlib's own font, which draws boxes for Chinese characters.
    """
    packaged = packaged_font_path()
    if packaged is not None and not _missing_from(packaged, PROBE):
        return FigureFont(_register(packaged), packaged, "packaged")
    return _system_font() or _latin_font()


def packaged_font_path() -> Path | None:
    """Return the path of the packaged font, or None if it is not installed."""
    spec = importlib.util.find_spec(FONT_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / FONT_FILE
    return path if path.is_file() else None


def missing_characters(text: str) -> tuple[str, ...]:
    """Return the characters of a text that the figures cannot draw, each once, in code point order."""
    return _missing_from(figure_font().path, text, also=_latin_font().path)


def font_subset(text: str) -> bytes:
    """Return a WOFF font with the characters of a text, empty if no Chinese font is at hand.

    WOFF and not WOFF2: a tenth larger, twice as quick, and no further dependency.
    """
    font = figure_font()
    if font.origin == "latin":
        return b""
    from fontTools import subset

    options = subset.Options(
        flavor="woff", hinting=False, layout_features=["kern"], drop_tables=["vmtx", "VORG", "vhea"]
    )
    loaded = subset.load_font(str(font.path), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(sorted(set(text))))
    subsetter.subset(loaded)
    buffer = BytesIO()
    loaded.flavor = "woff"
    loaded.save(buffer)
    return buffer.getvalue()


def _register(path: Path) -> str:
    """Make a font file known to matplotlib and return its family name."""
    from matplotlib import font_manager

    font_manager.fontManager.addfont(path)
    return font_manager.FontProperties(fname=path).get_name()


def _system_font() -> FigureFont | None:
    """Return the first Chinese font of the system that has the characters asked for."""
    from matplotlib import font_manager

    known = {entry.name: Path(entry.fname) for entry in font_manager.fontManager.ttflist}
    for family in SYSTEM_FONTS:
        if family in known and not _missing_from(known[family], PROBE):
            return FigureFont(family, known[family], "system")
    return None


@cache
def _latin_font() -> FigureFont:
    """Return matplotlib's own font."""
    import matplotlib as mpl

    return FigureFont(LATIN_FONT, Path(mpl.get_data_path(), "fonts/ttf/DejaVuSans.ttf"), "latin")


def _missing_from(path: Path, text: str, also: Path | None = None) -> tuple[str, ...]:
    """Return the characters of a text that neither font has."""
    has = _code_points(path) | (_code_points(also) if also else frozenset())
    return tuple(sorted(c for c in set(text) if not c.isspace() and ord(c) not in has))


@cache
def _code_points(path: Path) -> frozenset[int]:
    """Return the code points of a font file, none if it cannot be read."""
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(FT2Font(str(path)).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()
