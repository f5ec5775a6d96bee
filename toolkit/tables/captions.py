"""Captions whose words come from the vocabulary."""

from toolkit.exhibits import Caption
from toolkit.vocabulary import Language, has_sentence, sentence


def exhibit_caption(
    key: str,
    language: Language,
    *,
    n: str = "",
    unit: str = "",
    notes: tuple[str, ...] = (),
    **values: object,
) -> Caption:
    """Return the caption of an exhibit: title, source and note from the sentences of its key.

    Parameters
    ----------
    key : str
        Sentences `title_<key>` and, where there is one, `note_<key>`.
    language : {"zh", "en"}
        Language.
    n, unit : str
        Sample size in words; unit of all numbers.
    notes : tuple of str
        Further notes, already in the language.
    **values
        Placeholders of title and note.
    """
    own = (sentence(f"note_{key}", language, **values),) if has_sentence(f"note_{key}") else ()
    return Caption(
        key=key,
        title=sentence(f"title_{key}", language, **values),
        language=language,
        unit=unit,
        n=n,
        source=sentence("source_reported", language),
        notes=(*own, *notes),
    )


def schools_counted(count: int, language: Language) -> str:
    """Return a number of schools in words."""
    return sentence("n_schools", language, count=count)
