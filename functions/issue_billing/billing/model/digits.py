"""The digits of a text, in whatever script and form they are written."""

import unicodedata


def digits_in(text: str) -> str:
    """As 0 to 9, whatever stands between them: full-width, Arabic and circled ones too."""
    plain = unicodedata.normalize("NFKC", text)
    decimals = (unicodedata.decimal(character, None) for character in plain)
    return "".join(str(decimal) for decimal in decimals if decimal is not None)
