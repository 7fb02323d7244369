"""INS-159: an INS datamatrix is printed on the first page of the documents of a qualified identity, and of it only.

A page that was read and bears no datamatrix is a view of kind `datamatrix` whose `subject_count` is 0; a message whose pages
nobody read has no such view, and nothing is said. What a printed datamatrix tells differently from its document is
INS-158. Source: Guide d'implémentation INS v3.0, EXI DIF 02; datamatrix INS 2.2.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.identity.model import ContainerKind, IdentityView
from gateway.identity.reading import all_ins, ins_of
from gateway.identity.rules_cross import Views, file_of
from gateway.rules.masking import EMPTY, mask_matricule
from gateway.rules.model import Hit, RuleContext, rule

_NOT_QUALIFIED = frozenset({"PROV", "RECUP", "FICT", "DOUT"})


@rule("INS-159")
def printed_when_qualified(views: Views, ctx: RuleContext) -> Iterator[Hit]:
    """Each page read, against what the rest of the message says of the identity."""
    others = [view for view in views if view.kind is not ContainerKind.DATAMATRIX]
    if not others:
        return
    for printed in views:
        if printed.kind is not ContainerKind.DATAMATRIX:
            continue
        qualified = _qualified(printed, others)
        if printed.subject_count == 0:
            if qualified:
                yield Hit(printed.where, f"datamatrix {EMPTY}", "IS01…", container=printed.label)
        elif not qualified:
            ins = ins_of(printed)
            shown = mask_matricule(ins.value) if ins is not None else "IS01…"
            yield Hit(printed.where, shown, _why(others), container=printed.label)


def _qualified(printed: IdentityView, others: list[IdentityView]) -> bool:
    """The document it is printed on (or, of an unknown file, any container) carries an INS, and nothing denies it."""
    if any(view.declared is not None and view.declared.has(*_NOT_QUALIFIED) for view in others):
        return False
    same = [view for view in others if file_of(view) == file_of(printed)]
    return any(all_ins(view) for view in same or others)


def _why(others: list[IdentityView]) -> str:
    denied = (view for view in others if view.declared is not None and view.declared.has(*_NOT_QUALIFIED))
    view = next(denied, None)
    if view is None or view.declared is None:
        return f"INS {EMPTY}"
    codes = (c.code for c in (*view.declared.codes, *view.declared.comments) if c.code in _NOT_QUALIFIED)
    return f"datamatrix {EMPTY} ({', '.join(codes)})"


RULES = (printed_when_qualified,)
