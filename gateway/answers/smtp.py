"""SMTP answers: code, enhanced code (RFC 3463), and a text that says which rule, where, and how to mend."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.rules.masking import DOT, mask_text, shown_address
from gateway.rules.model import Family, Finding
from gateway.rules.verdict import Decision, Outcome
from gateway.values import Lang

_SHOWN_VALUES = 4
_SHOWN_CHARS = 80
_LINE = 400  # RFC 5321 allows 512 octets with code and CRLF; accented letters take two


@dataclass(frozen=True, slots=True)
class SmtpReply:
    """One reply. `text` may be long: `wire` folds it into continuation lines of ASCII."""

    code: int
    enhanced: str
    text: str

    @property
    def accepted(self) -> bool:
        """2xx."""
        return self.code < 300

    def wire(self) -> str:
        """The reply without the final CRLF, one `code-enhanced text` line each. Whatever it quotes holds no matricule."""
        pieces = _folded(_ascii(self.text))
        lines = [f"{self.code}-{self.enhanced} {piece}" for piece in pieces]
        lines[-1] = f"{self.code} {self.enhanced} {pieces[-1]}"
        return "\r\n".join(lines)


# code and enhanced code of a refusal after DATA, by family
_REFUSED = {
    Family.ABUSE: (554, "5.6.0"),
    Family.ENVELOPE: (550, "5.7.1"),
    Family.TRUST: (554, "5.7.1"),
}


def reply_for(decision: Decision, exchange_id: str, lang: Lang = Lang.FR) -> SmtpReply:
    """The answer to DATA once the exchange is durable."""
    if decision.outcome is not Outcome.REJECT:
        return SmtpReply(250, "2.0.0", _accepted(decision, exchange_id, lang))
    deciding = decision.deciding
    if deciding is None:
        return SmtpReply(554, "5.7.1", exchange_id)
    code, enhanced = _REFUSED.get(deciding.family, (554, "5.7.1"))
    return SmtpReply(code, enhanced, _said(_refused(decision, exchange_id, lang), lang))


def refusal(finding: Finding, code: int, enhanced: str, lang: Lang = Lang.FR) -> SmtpReply:
    """A refusal before any byte of message: connection, MAIL or RCPT."""
    return SmtpReply(code, enhanced, _said(f"{_explained(finding, lang)} {finding.cure.in_(lang)}", lang))


def unavailable(lang: Lang = Lang.FR) -> SmtpReply:
    """Nothing can be made durable now: the sender must try again."""
    text = {
        Lang.FR: "Stockage momentanément indisponible, rien n'a été accepté : réessayez plus tard.",
        Lang.EN: "Storage is unavailable for now, nothing was accepted: try again later.",
    }
    return SmtpReply(421, "4.3.0", text[lang])


def _accepted(decision: Decision, exchange_id: str, lang: Lang) -> str:
    alerts = [f.rule for f in decision.findings if f.severity.rank > 0]
    text = {Lang.FR: "Accepté", Lang.EN: "Accepted"}[lang] + f" {exchange_id}"
    if alerts:
        shown = ", ".join(dict.fromkeys(alerts[:5]))
        text += {Lang.FR: f" ; alertes : {shown}", Lang.EN: f"; alerts: {shown}"}[lang]
    if decision.excluded:
        left = ", ".join(shown_address(a) for a in decision.excluded[:_SHOWN_VALUES])
        text += {
            Lang.FR: f" ; non transmis à {left} : un avis de non-remise suit",
            Lang.EN: f"; not sent to {left}: a failure report follows",
        }[lang]
    return text


def _refused(decision: Decision, exchange_id: str, lang: Lang) -> str:
    blocking = [f for f in decision.findings if f.severity.rank == 2] or list(decision.findings[:1])
    intro = {
        Lang.FR: "Refusé par une règle du bac à sable :",
        Lang.EN: "Refused by a rule of the sandbox:",
    }[lang]
    shown = " | ".join(f"{_explained(f, lang)} {f.cure.in_(lang)}" for f in blocking[:3])
    more = "" if len(blocking) <= 3 else f" | +{len(blocking) - 3}"
    return f"{intro} {shown}{more} ({exchange_id})"


def _explained(finding: Finding, lang: Lang) -> str:
    return f"{finding.rule} {finding.message.in_(lang)} [{finding.where}]{_seen(finding, lang)}"


def _seen(finding: Finding, lang: Lang) -> str:
    """The compared values side by side, else what was received and expected; all masked by the rule."""
    if finding.values:
        shown = dict.fromkeys(f"{v.container} = {v.value}" for v in finding.values)
        return f" ({' / '.join(list(shown)[:_SHOWN_VALUES])})"
    if not (finding.received or finding.expected):
        return ""
    received, expected = finding.received_in(lang)[:_SHOWN_CHARS], finding.expected_in(lang)[:_SHOWN_CHARS]
    words = {Lang.FR: ("reçu", "attendu"), Lang.EN: ("received", "expected")}[lang]
    return f" ({words[0]} {received or '-'}, {words[1]} {expected or '-'})"


def _said(text: str, lang: Lang) -> str:
    """The sign of what is empty, as a word: it has no ASCII form that a reader would know."""
    return text.replace("∅", {Lang.FR: "vide", Lang.EN: "empty"}[lang])


# What NFKD would drop, or read otherwise: `≠` would become `=`.
_SIGNS = str.maketrans(
    {
        **dict.fromkeys("«»“”„", '"'),
        **dict.fromkeys("‘’ʼ´", "'"),
        **dict.fromkeys("–—−‐‑", "-"),
        "œ": "oe",
        "Œ": "OE",
        "æ": "ae",
        "Æ": "AE",
        "ß": "ss",
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "≤": "<=",
        "≥": ">=",
        "≠": "!=",
        "×": "x",
        "±": "+/-",
        "→": "->",
        "←": "<-",
        "∈": "in",
        "∉": "not in",
        "…": "...",
        "·": ".",
        "•": "-",
        "€": "EUR",
        "°": "o",
        "§": "section ",
        "∅": "-",
        "�": "?",
    }
)
_SPACED_QUOTES = (("« ", "«"), ("«\u00a0", "«"), (" »", "»"), ("\u00a0»", "»"))


def _ascii(text: str) -> str:
    """SMTP replies are ASCII without SMTPUTF8: accents are dropped, signs written out, controls removed.

    Matricules are masked here as well: what is written out may make digits of signs that were none (`⑩`).
    """
    if text.isascii() and text.isprintable():
        return mask_text(text).replace(DOT, ".")
    import unicodedata

    for written, tight in _SPACED_QUOTES:
        text = text.replace(written, tight)
    plain = unicodedata.normalize("NFKD", text.translate(_SIGNS))
    kept = (c if 32 <= ord(c) < 127 else "" if unicodedata.combining(c) else "?" for c in plain)
    return mask_text("".join(kept)).replace(DOT, ".")


def _folded(text: str) -> list[str]:
    lines: list[str] = []
    rest = text
    while len(rest) > _LINE:
        cut = rest.rfind(" ", 0, _LINE)
        cut = cut if cut > 0 else _LINE
        lines.append(rest[:cut])
        rest = rest[cut:].lstrip()
    return [*lines, rest]
