"""INS-040 to 051: which characters a name trait may hold, and how the first given name stands to the list.

Each fault has one rule: lower case, accents, ligatures and quotes are told by their own, and INS-044 takes only what
remains. Filler values (INS-034) are not judged again. Source: INSi guide SEL-MP-043 section 2; Guide INS v3.0 EXI ID 10.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.identity import traits as t
from gateway.identity.model import IdentityView
from gateway.identity.reading import FAMILY, TraitName, all_ins, names
from gateway.rules.masking import mask_shape, mask_trait
from gateway.rules.model import Hit, RuleContext, rule
from gateway.values import Located


def _spelt(view: IdentityView) -> Iterator[tuple[TraitName, Located, str]]:
    """The name traits whose characters deserve a look, cut to a bounded length."""
    for name, trait in names(view):
        value = trait.value
        if not t.is_clean(value[: t.EXAMINED]) and not t.is_filler(value):
            yield name, trait, value[: t.EXAMINED]


def _hit(name: TraitName, trait: Located, expected: str, **params: str) -> Hit:
    return Hit(trait.where, mask_shape(trait.value), expected, params={**name.params, **params})


@rule("INS-040")
def lower_case(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """With an INS, traits are in upper case."""
    for name, trait, value in _spelt(view):
        if t.has_lower_case(value) and all_ins(view):
            yield _hit(name, trait, "A-Z")


@rule("INS-041")
def diacritic(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """With an INS, traits bear no accent, diaeresis or cedilla."""
    for name, trait, value in _spelt(view):
        if t.has_diacritic(value) and all_ins(view):
            yield _hit(name, trait, "A-Z")


@rule("INS-042")
def ligature(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Ligatures and letters of other alphabets are transliterated before sending, never dropped."""
    for name, trait, value in _spelt(view):
        foreign = t.foreign_letters(value)
        if foreign:
            written = " ".join(f"{c} > {t.LIGATURES.get(c, '?')}" for c in dict.fromkeys(foreign[:8]))
            yield _hit(name, trait, written)


@rule("INS-043")
def curly_quote(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """The apostrophe is ASCII 39."""
    for name, trait, value in _spelt(view):
        if t.curly_quotes(value):
            yield _hit(name, trait, "' (ASCII 39)")


@rule("INS-044")
def forbidden(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Digits, dots, slashes, controls, uncommon spaces."""
    for name, trait, value in _spelt(view):
        found = t.forbidden_characters(value)
        if found:
            yield _hit(name, trait, "A-Z, ' ', ', -", c=" ".join(map(_named, dict.fromkeys(found[:8]))))


def _named(char: str) -> str:
    return char if char.isascii() and char.isprintable() else f"U+{ord(char):04X}"


@rule("INS-045")
def doubled_separator(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """One separator between two words; the double hyphen of old double names stands in the birth name only."""
    for name, trait, value in _spelt(view):
        if t.doubled_separators(value, double_hyphen=name is FAMILY):
            yield _hit(name, trait, "1")


@rule("INS-046")
def separator_at_the_edge(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Traits begin and end with a letter (an apostrophe may come first)."""
    for name, trait, value in _spelt(view):
        whole = value + trait.value[-1]  # the end of a long value counts as well
        if t.edge_separator(whole, given=name is not FAMILY):
            yield _hit(name, trait, "A-Z")


@rule("INS-047")
def too_long(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """A hundred characters at most."""
    for name, trait in names(view):
        if len(trait.value) > t.MAX_LENGTH:
            yield Hit(trait.where, str(len(trait.value)), f"<= {t.MAX_LENGTH}", params=name.params)


@rule("INS-048")
def truncated(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """Exactly the width of the carte Vitale: probably cut."""
    for name, trait in names(view):
        if len(trait.value) == t.VITALE_WIDTH:
            yield Hit(trait.where, mask_trait(trait.value), f"> {t.VITALE_WIDTH}", params=name.params)


@rule("INS-049")
def first_given_outside_the_list(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """The first given name is the head of the list, hyphen and apostrophe read as spaces."""
    first, listed = view.birth_given, view.given_list
    if first is None or listed is None or not first.value or not listed.value or first.value == listed.value:
        return
    if len(first.value) > t.EXAMINED or not t.first_given_agrees(first.value, listed.value[: 4 * t.EXAMINED]):
        yield Hit(first.where, mask_trait(first.value), mask_trait(listed.value))


@rule("INS-051")
def title(view: IdentityView, ctx: RuleContext) -> Iterator[Hit]:
    """MME, DR, NEE, EPOUSE: not part of a civil-status name."""
    for name, trait in names(view):
        marker = t.marker(trait.value[: t.EXAMINED])
        if marker:
            yield Hit(trait.where, marker, "A-Z", params=name.params)


RULES = (
    lower_case,
    diacritic,
    ligature,
    curly_quote,
    forbidden,
    doubled_separator,
    separator_at_the_edge,
    too_long,
    truncated,
    first_given_outside_the_list,
    title,
)
