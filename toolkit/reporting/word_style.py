"""Styles and paper of Word documents: fonts, sizes and margins of official documents (GB/T 9704)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from toolkit.vocabulary import Language

if TYPE_CHECKING:
    from docx.document import Document
    from docx.section import Section
    from docx.styles.style import ParagraphStyle

# A4 with the margins of GB/T 9704, in mm: top, bottom, left, right.
PAPER_MM = (210, 297)
MARGINS_MM = (37, 35, 28, 26)
# Above and below a table on a turned sheet, which is to hold as many rows as can be.
LANDSCAPE_MARGIN_MM = 22
HEADER_MM = 13
LATIN_FONT = "Times New Roman"
BODY_LINE_PT = {"zh": 28.0, "en": 20.0}
INDENT_CHARS = 2
CONTENTS_DEPTH = 2
# Named where the first is not installed.
FALLBACK_FONTS = {"方正小标宋简体": "黑体", "仿宋_GB2312": "仿宋", "楷体_GB2312": "楷体"}


@dataclass(frozen=True, slots=True)
class Look:
    """How one style looks.

    Attributes
    ----------
    name : str
        Name of the style.
    font : str
        East-Asian font.
    size : mapping of language to points
        Size of the letters.
    line : float
        Fixed distance of lines as a multiple of that of the body; 0 for single spacing.
    align : str
        "left", "center", "right" or "both".
    before, after : float
        Space around in points.
    bold : bool
        Whether letters are bold; in Chinese the fonts tell headings apart.
    indent : bool
        Whether the first line is indented by two characters.
    keep : bool
        Whether it stays on the page of what follows.
    start : float
        Distance from the left margin in letters.
    new_page : bool
        Whether it begins a page.
    """

    name: str
    font: str
    size: tuple[float, float]
    line: float = 1.0
    align: str = "left"
    before: float = 0.0
    after: float = 0.0
    bold: bool = False
    indent: bool = False
    keep: bool = False
    start: float = 0.0
    new_page: bool = False


# Sizes for Chinese and English: 二号 22, 三号 16, 四号 14, 五号 10.5, 小五 9.
BODY_FONT, TITLE_FONT, HEADING_FONT = "仿宋_GB2312", "方正小标宋简体", "黑体"
LOOKS = (
    Look("Normal", BODY_FONT, (16, 12), align="both"),
    Look("Body Indented", BODY_FONT, (16, 12), align="both", indent=True, after=0),
    Look("Cover County", HEADING_FONT, (18, 14), line=0, align="center", before=110, after=12, keep=True),
    Look("Title", TITLE_FONT, (26, 24), line=0, align="center", after=18, bold=False, keep=True),
    Look("Cover Line", "楷体_GB2312", (16, 13), align="center", after=4),
    Look("Cover Remark", "楷体_GB2312", (14, 11), line=0, align="center", before=10),
    Look("Cover Space", "宋体", (10.5, 10), line=0, after=100),
    Look("Heading 1", HEADING_FONT, (16, 16), before=14, after=6, bold=False, keep=True),
    Look("Heading 2", "楷体_GB2312", (16, 14), before=8, after=4, keep=True),
    Look("Heading 3", BODY_FONT, (16, 12), before=6, after=2, bold=True, keep=True),
    Look("Exhibit Caption", HEADING_FONT, (12, 11), line=0, align="center", before=10, after=4, keep=True),
    Look("Figure Caption", HEADING_FONT, (12, 11), line=0, align="center", before=4, after=4),
    Look("Exhibit Meta", "宋体", (9, 9), line=0, align="right", after=2, keep=True),
    Look("Exhibit Note", "宋体", (9, 9), line=0, after=1),
    Look("Exhibit Ending", "宋体", (9, 9), line=0, after=10),
    Look("Picture", "宋体", (10.5, 10), line=0, align="center", before=8, keep=True),
    Look("Equation Line", BODY_FONT, (14, 12), line=0, align="center", before=6, after=6),
    Look("Table Text", "宋体", (10.5, 10), line=0),
    Look("Finding", BODY_FONT, (16, 12), align="both", indent=True, after=3),
    Look("Contents Title", HEADING_FONT, (18, 16), line=0, align="center", after=14, new_page=True),
    Look("toc 1", BODY_FONT, (14, 12), line=0.78),
    Look("toc 2", BODY_FONT, (12, 11), line=0.66, start=2),
    Look("Remark", "楷体_GB2312", (14, 11), line=0.9, indent=True),
)


def new_document(language: Language) -> "Document":
    """Return an empty document with paper, styles and language of official documents."""
    import docx

    document = docx.Document()
    set_paper(document.sections[0], is_landscape=False)
    _set_defaults(document, language)
    for look in LOOKS:
        _apply(look, document, language)
    _set_contents_tabs(document)
    _name_fallback_fonts(document)
    return document


def set_paper(section: "Section", *, is_landscape: bool) -> None:
    """Set paper and margins of a section; the sheet is turned for wide tables."""
    from docx.enum.section import WD_ORIENT
    from docx.shared import Mm

    width, height = reversed(PAPER_MM) if is_landscape else PAPER_MM
    top, bottom, left, right = MARGINS_MM
    if is_landscape:
        # The sheet is turned to the left: its top margin becomes the left one.
        left, right = bottom, top
        top = bottom = LANDSCAPE_MARGIN_MM
    section.orientation = WD_ORIENT.LANDSCAPE if is_landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Mm(width), Mm(height)
    section.top_margin, section.bottom_margin = Mm(top), Mm(bottom)
    section.left_margin, section.right_margin = Mm(left), Mm(right)
    section.header_distance = section.footer_distance = Mm(HEADER_MM)


def text_width_mm(*, is_landscape: bool) -> float:
    """Return the width of the text on a page."""
    width, height = PAPER_MM
    top, bottom, left, right = MARGINS_MM
    return height - top - bottom if is_landscape else width - left - right


def _set_defaults(document: "Document", language: Language) -> None:
    """Set the language of the text, so that Word checks and breaks it rightly."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    defaults = document.styles.element.find(qn("w:docDefaults")).find(qn("w:rPrDefault")).find(qn("w:rPr"))
    for old in defaults.findall(qn("w:lang")):
        defaults.remove(old)
    mark = OxmlElement("w:lang")
    mark.set(qn("w:val"), "en-US")
    mark.set(qn("w:eastAsia"), "zh-CN" if language == "zh" else "en-US")
    defaults.append(mark)


def _apply(look: Look, document: "Document", language: Language) -> None:
    """Make or change one style."""
    from docx.enum.style import WD_STYLE_TYPE
    from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
    from docx.shared import Pt, RGBColor

    styles = document.styles
    known = {style.name for style in styles}
    named = styles[look.name] if look.name in known else styles.add_style(look.name, WD_STYLE_TYPE.PARAGRAPH)
    style = cast("ParagraphStyle", named)
    font, layout = style.font, style.paragraph_format
    font.size = Pt(look.size[0 if language == "zh" else 1])
    font.bold = look.bold or (language == "en" and look.font in (HEADING_FONT, TITLE_FONT))
    font.italic = False
    font.color.rgb = RGBColor(0, 0, 0)
    _set_fonts(style, look.font)
    _without_rule(style)
    layout.alignment = {
        "left": WD_ALIGN_PARAGRAPH.LEFT,
        "center": WD_ALIGN_PARAGRAPH.CENTER,
        "right": WD_ALIGN_PARAGRAPH.RIGHT,
        "both": WD_ALIGN_PARAGRAPH.JUSTIFY,
    }[look.align]
    if look.line:
        layout.line_spacing_rule = WD_LINE_SPACING.EXACTLY
        layout.line_spacing = Pt(BODY_LINE_PT[language] * look.line)
    else:
        layout.line_spacing_rule = WD_LINE_SPACING.SINGLE
    layout.space_before, layout.space_after = Pt(look.before), Pt(look.after)
    layout.keep_with_next = look.keep
    layout.page_break_before = look.new_page
    if look.start:
        layout.left_indent = Pt(look.start * look.size[0 if language == "zh" else 1])
    if look.indent and language == "zh":
        _indent_first_line(style, look.size[0])
    elif look.name == "Body Indented":
        layout.space_after = Pt(8)


def _set_fonts(style: "ParagraphStyle", east_asian: str) -> None:
    """Set the fonts of a style for both kinds of letters; theme fonts would win over them."""
    from docx.oxml.ns import qn

    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in list(fonts.attrib):
        del fonts.attrib[name]
    for name in ("ascii", "hAnsi", "cs"):
        fonts.set(qn(f"w:{name}"), LATIN_FONT)
    fonts.set(qn("w:eastAsia"), east_asian)


def _without_rule(style: "ParagraphStyle") -> None:
    """Take away the line that the title of the template has below it."""
    from docx.oxml.ns import qn

    layout = style.element.get_or_add_pPr()
    for rule in layout.findall(qn("w:pBdr")):
        layout.remove(rule)


def _indent_first_line(style: "ParagraphStyle", size: float) -> None:
    """Indent the first line by characters, whatever their size."""
    from docx.oxml.ns import qn

    indent = style.element.get_or_add_pPr().get_or_add_ind()
    indent.set(qn("w:firstLineChars"), str(INDENT_CHARS * 100))
    indent.set(qn("w:firstLine"), str(round(INDENT_CHARS * size * 20)))


def _set_contents_tabs(document: "Document") -> None:
    """Give the lines of the contents the dots that lead to the number of the page."""
    from docx.enum.text import WD_TAB_ALIGNMENT, WD_TAB_LEADER
    from docx.shared import Mm

    width = Mm(text_width_mm(is_landscape=False))
    for level in range(1, CONTENTS_DEPTH + 1):
        style = cast("ParagraphStyle", document.styles[f"toc {level}"])
        style.paragraph_format.tab_stops.add_tab_stop(width, WD_TAB_ALIGNMENT.RIGHT, WD_TAB_LEADER.DOTS)


def _name_fallback_fonts(document: "Document") -> None:
    """Name the font to use where one of official documents is not installed."""
    package: Any = document.part.package
    part = next(part for part in package.iter_parts() if part.partname == "/word/fontTable.xml")
    entries = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{other}"/><w:charset w:val="86"/></w:font>'
        for name, other in FALLBACK_FONTS.items()
    )
    # The font table is a part without a class of its own: its bytes are all there is.
    part._blob = part.blob.replace(b"</w:fonts>", f"{entries}</w:fonts>".encode())
