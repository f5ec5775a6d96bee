"""Equations of the prose as Word shows and edits them."""

from typing import TYPE_CHECKING

from toolkit.reporting.prose import mathml

if TYPE_CHECKING:
    from docx.oxml.xmlchemy import BaseOxmlElement

OMML = "http://schemas.openxmlformats.org/officeDocument/2006/math"
MATH_FONT = "Cambria Math"
LARGE_OPERATORS = frozenset("∑∏∫⋃⋂")
BARS = frozenset("¯‾―ˉ_")
PASSED_THROUGH = frozenset({"math", "mrow", "mstyle", "mpadded", "semantics", "mtd"})
PARTS = {
    "msub": ("sSub", ("e", "sub")),
    "msup": ("sSup", ("e", "sup")),
    "msubsup": ("sSubSup", ("e", "sub", "sup")),
    "mfrac": ("f", ("num", "den")),
    "munder": ("limLow", ("e", "lim")),
    "mroot": ("rad", ("e", "deg")),
}


def omml(formula: str, *, display: bool) -> "BaseOxmlElement | None":
    """Return a LaTeX formula as an equation of Word, None if it cannot be converted.

    Covers what the reports use: letters, numbers and operators, sub- and superscripts, fractions, roots,
    sums with limits, bars and accents, and brackets.
    """
    from docx.oxml import parse_xml

    converted = mathml(formula, display=display)
    if not converted.startswith("<math"):
        return None
    equation = _element("oMath")
    try:
        _add_all(parse_xml(converted), equation)
    except (ValueError, SyntaxError):
        # A fraction without a denominator and the like.
        return None
    return equation


def _element(name: str, **attributes: str) -> "BaseOxmlElement":
    """Return an element of an equation."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    made = OxmlElement(f"m:{name}")
    for key, value in attributes.items():
        made.set(qn(f"m:{key}"), value)
    return made


def _add_all(source: "BaseOxmlElement", target: "BaseOxmlElement") -> None:
    """Add the parts of a MathML element; a sum takes what follows it as its operand."""
    parts = list(source)
    position = 0
    while position < len(parts):
        part = parts[position]
        position += 1
        if _is_sum(part):
            sum_ = _sum(part)
            operand = sum_[-1]
            for rest in parts[position:]:
                _add(rest, operand)
            target.append(sum_)
            return
        _add(part, target)


def _add(source: "BaseOxmlElement", target: "BaseOxmlElement") -> None:
    """Add one MathML element to an equation."""
    name = _name(source)
    if name in PASSED_THROUGH:
        _add_all(source, target)
    elif name in PARTS:
        kind, parts = PARTS[name]
        target.append(_structure(kind, parts, list(source)))
    elif name == "msqrt":
        target.append(_root(source))
    elif name == "mover":
        base, mark = source
        target.append(_accent(base, mark))
    elif name == "mtable":
        for row in source:
            _add_all(row, target)
    elif name != "mspace":
        target.append(_run(source))


def _structure(name: str, parts: tuple[str, ...], sources: list["BaseOxmlElement"]) -> "BaseOxmlElement":
    """Return a fraction, a script or a root with a degree."""
    made = _element(name)
    filled = []
    for part, source in zip(parts, sources, strict=True):
        holder = _element(part)
        _add(source, holder)
        filled.append(holder)
    # The degree of a root stands before what is under it.
    made.extend(reversed(filled) if name == "rad" else filled)
    return made


def _root(source: "BaseOxmlElement") -> "BaseOxmlElement":
    """Return a square root."""
    made, properties, content = _element("rad"), _element("radPr"), _element("e")
    properties.append(_element("degHide", val="1"))
    _add_all(source, content)
    made.extend([properties, _element("deg"), content])
    return made


def _accent(base: "BaseOxmlElement", mark: "BaseOxmlElement") -> "BaseOxmlElement":
    """Return a letter with a bar or another accent above."""
    sign = (mark.text or "").strip()
    name, sign_name = ("bar", "pos") if sign in BARS else ("acc", "chr")
    made, properties, content = _element(name), _element(f"{name}Pr"), _element("e")
    properties.append(_element(sign_name, val="top" if name == "bar" else sign))
    _add(base, content)
    made.extend([properties, content])
    return made


def _is_sum(source: "BaseOxmlElement") -> bool:
    """Say whether an element is a sum, product, integral or the like, with or without limits."""
    first = source if _name(source) == "mo" else next(iter(source), None)
    with_limits = _name(source) in ("mo", "msub", "msup", "msubsup", "munder", "mover", "munderover")
    return with_limits and first is not None and (first.text or "").strip() in LARGE_OPERATORS


def _sum(source: "BaseOxmlElement") -> "BaseOxmlElement":
    """Return a sum with its limits and an empty operand."""
    name = _name(source)
    first, *limits = [source] if name == "mo" else list(source)
    below = limits[0] if limits and name not in ("msup", "mover") else None
    above = limits[-1] if len(limits) == 2 or name in ("msup", "mover") else None
    made, properties = _element("nary"), _element("naryPr")
    properties.append(_element("chr", val=(first.text or "").strip()))
    properties.append(_element("limLoc", val="undOvr" if name.startswith("mu") else "subSup"))
    properties.extend(
        _element(hidden, val="1")
        for hidden, limit in (("subHide", below), ("supHide", above))
        if limit is None
    )
    made.append(properties)
    for part, limit in (("sub", below), ("sup", above)):
        holder = _element(part)
        if limit is not None:
            _add(limit, holder)
        made.append(holder)
    made.append(_element("e"))
    return made


def _run(source: "BaseOxmlElement") -> "BaseOxmlElement":
    """Return letters of an equation; words and numbers stand upright."""
    run, text = _element("r"), _element("t")
    run.append(_font())
    content = (source.text or "").strip() or " "
    if _name(source) in ("mn", "mtext") or (_name(source) == "mi" and len(content) > 1):
        properties = _element("rPr")
        properties.append(_element("sty", val="p"))
        run.insert(0, properties)
    text.text = content
    run.append(text)
    return run


def _font() -> "BaseOxmlElement":
    """Return the font of equations."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    properties, fonts = OxmlElement("w:rPr"), OxmlElement("w:rFonts")
    for name in ("ascii", "hAnsi"):
        fonts.set(qn(f"w:{name}"), MATH_FONT)
    properties.append(fonts)
    return properties


def _name(source: "BaseOxmlElement") -> str:
    """Return the name of an element without its namespace."""
    return str(source.tag).rpartition("}")[2]
