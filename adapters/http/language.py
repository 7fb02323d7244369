"""The language of an HTTP answer: French, unless the request prefers English."""

from __future__ import annotations

from gateway.values import Lang

_LONGEST = 200  # characters of the header that are read


def accepted(header: str) -> Lang:
    """What `Accept-Language` asks for (RFC 9110 § 12.5.4): of French and English the one with the greater weight.

    French when both weigh the same, when neither is named, when the header makes no sense.
    """
    weights = {Lang.FR: 0.0, Lang.EN: 0.0}
    for part in header[:_LONGEST].split(","):
        tag, _, parameter = part.partition(";")
        primary = tag.strip().partition("-")[0].casefold()
        if primary in weights:
            lang = Lang(primary)
            weights[lang] = max(weights[lang], _weight(parameter))
    return Lang.EN if weights[Lang.EN] > weights[Lang.FR] else Lang.FR


def _weight(parameter: str) -> float:
    name, _, value = parameter.replace(" ", "").partition("=")
    if name.casefold() != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
