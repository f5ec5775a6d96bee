"""Markdown to HTML: raw HTML shown as text, equations as MathML, no link that leaves the page."""

import re
from html import escape
from typing import Any

from toolkit.exhibits import reference_html

# The name in `[@name]` is an exhibit's key; anything else in the brackets stays as it is written.
REFERENCE = r"\[@(?P<reference_key>[a-z][a-z0-9_]*)\]"
# `[…]{.screen}` is read on a screen only: paper has no heading to click.
SCREEN_ONLY = r"\[(?P<screen_text>[^\[\]]+)\]\{\.screen\}"
DISPLAY_MATH = re.compile(r"^\s*\$\$(?P<formula>[^$]+)\$\$\s*$")
NAMESPACE = ' xmlns="http://www.w3.org/1998/Math/MathML"'
FIRST_TITLE = re.compile(r"\A\s*#\s+.+$", re.MULTILINE)
DEEPEST_HEADING = 6


def prose_html(source: str, *, prefix: str, deeper: int = 0) -> str:
    """Return Markdown as HTML.

    Parameters
    ----------
    source : str
        Markdown with tables, ``$...$`` and ``$$...$$`` equations, ``[@key]`` for exhibits and
        ``[...]{.screen}`` for plain words that are not printed on paper.
    prefix : str
        Start of the ids of its headings, unique on the page.
    deeper : int
        How many levels its headings are moved down.
    """
    import mistune

    renderer = _renderer(prefix, deeper)
    markdown = mistune.create_markdown(
        renderer=renderer, plugins=["table", "math", "strikethrough", _references, _screen_only]
    )
    rendered = markdown(source)
    return rendered if isinstance(rendered, str) else ""


def prose_tokens(source: str) -> list[dict[str, Any]]:
    """Return Markdown as a tree of tokens, for documents that are not pages."""
    import mistune

    markdown = mistune.create_markdown(
        renderer="ast", plugins=["table", "math", "strikethrough", _references, _screen_only]
    )
    rendered = markdown(source)
    return [] if isinstance(rendered, str) else rendered


def without_title(source: str) -> str:
    """Return Markdown without the heading of level one at its start: the page prints it."""
    return FIRST_TITLE.sub("", source, count=1).strip()


def mathml(formula: str, *, display: bool) -> str:
    """Return a LaTeX formula as MathML, or as it was written if it cannot be converted."""
    from latex2mathml.converter import convert
    from latex2mathml.exceptions import InvalidStyleForGenfracError, NoAvailableTokensError

    try:
        converted = convert(formula.strip(), display="block" if display else "inline")
    except (InvalidStyleForGenfracError, NoAvailableTokensError, ValueError, IndexError, KeyError):
        return f"<code>{escape(formula)}</code>"
    return converted.replace(NAMESPACE, "")


def _renderer(prefix: str, deeper: int) -> Any:
    """Return the renderer of one piece of prose."""
    import mistune

    class ReportRenderer(mistune.HTMLRenderer):
        def __init__(self) -> None:
            super().__init__(escape=True, allow_harmful_protocols=False)
            self.headings = 0

        def heading(self, text: str, level: int, **_attributes: Any) -> str:
            self.headings += 1
            tag = f"h{min(level + deeper, DEEPEST_HEADING)}"
            return f'<{tag} id="{prefix}-{self.headings}">{text}</{tag}>\n'

        def link(self, text: str, url: str, title: str | None = None) -> str:  # noqa: ARG002 - the signature is mistune's
            if url.startswith("#"):
                return f'<a href="{escape(url)}">{text}</a>'
            # The page must work where there is no network, and on paper.
            return text if escape(url) == text else f'{text} (<span class="url">{escape(url)}</span>)'

        def image(self, text: str, url: str, title: str | None = None) -> str:  # noqa: ARG002 - the signature is mistune's
            if url.startswith("data:image/"):
                return f'<img src="{escape(url)}" alt="{text}">'
            return f"<em>{text}</em>"

        def inline_math(self, text: str) -> str:
            return mathml(text, display=False)

        def block_math(self, text: str) -> str:
            return f'<div class="equation">{mathml(text, display=True)}</div>\n'

        def table(self, text: str) -> str:
            return f'<div class="table-box"><table class="prose-table">{text}</table></div>\n'

        def paragraph(self, text: str) -> str:
            return f"<p>{text}</p>\n"

        def exhibit_reference(self, text: str) -> str:
            return reference_html(text)

        def screen_only(self, text: str) -> str:
            return f'<span class="screen-only">{escape(text)}</span>'

    return ReportRenderer()


def _references(md: Any) -> None:
    """Teach Markdown the reference to an exhibit."""

    def parse(_inline: Any, match: re.Match[str], state: Any) -> int:
        state.append_token({"type": "exhibit_reference", "raw": match.group("reference_key")})
        return match.end()

    md.inline.register("exhibit_reference", REFERENCE, parse, before="link")


def _screen_only(md: Any) -> None:
    """Teach Markdown the words that paper leaves out."""

    def parse(_inline: Any, match: re.Match[str], state: Any) -> int:
        state.append_token({"type": "screen_only", "raw": match.group("screen_text")})
        return match.end()

    md.inline.register("screen_only", SCREEN_ONLY, parse, before="link")
