"""Parts of a notebook that have no results in a run: left out of its page and documents, and named there."""

from dataclasses import dataclass
from html import escape

from toolkit.reporting.notebook import OMITTED_TYPE
from toolkit.vocabulary import Language, label, sentence


@dataclass(frozen=True, slots=True)
class OmittedParts:
    """What a page leaves out. As the last expression of a notebook cell it shows itself.

    Pages and documents drop the cells tagged `part:<name>` of these parts; where a notebook is read as it is,
    in JupyterLab, the cells stay.

    Attributes
    ----------
    parts : tuple of str
        Names of the parts, in the order of the notebook; each has the term ``part_<name>``.
    language : {"zh", "en"}
        Language of the page.
    """

    parts: tuple[str, ...]
    language: Language

    @property
    def text(self) -> str:
        """The parts in words, in one line."""
        if not self.parts:
            return label("no_part_omitted", self.language)
        names = (label(f"part_{name}", self.language) for name in self.parts)
        parts = label("report_list_separator", self.language).join(names)
        return sentence("parts_omitted", self.language, parts=parts)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(self.parts) or None}>"

    def _repr_html_(self) -> str:
        return f'<p class="remark">{escape(self.text)}</p>'

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        return {OMITTED_TYPE: {"parts": list(self.parts)}}
