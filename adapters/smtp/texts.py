"""Every fixed reply of the SMTP doors: code, enhanced code (RFC 3463, RFC 5248), French and English sentence."""

from __future__ import annotations

from enum import Enum
from functools import cache

from gateway.answers.smtp import SmtpReply
from gateway.values import Lang


class Reply(Enum):
    """A reply that does not depend on the message. Refusals that follow a rule come from its card instead."""

    OK = (250, "2.0.0", "OK", "OK")
    SENDER_OK = (250, "2.1.0", "Expéditeur accepté", "Sender accepted")
    RECIPIENT_OK = (250, "2.1.5", "Destinataire accepté", "Recipient accepted")
    BYE = (221, "2.0.0", "Au revoir", "Bye")
    READY_FOR_TLS = (220, "2.0.0", "Prêt à démarrer TLS", "Ready to start TLS")
    AUTHENTICATED = (235, "2.7.0", "Authentification réussie", "Authentication succeeded")
    VRFY = (
        252,
        "2.5.0",
        "Adresse non vérifiée ici : envoyez RCPT TO, la réponse le dira",
        "Not verified here: send RCPT TO, its reply tells",
    )
    HELP = (
        214,
        "2.0.0",
        "EHLO STARTTLS AUTH MAIL RCPT DATA RSET NOOP VRFY HELP QUIT ; en clair, seul STARTTLS mène plus loin",
        "EHLO STARTTLS AUTH MAIL RCPT DATA RSET NOOP VRFY HELP QUIT; in clear, only STARTTLS leads further",
    )
    UNKNOWN = (500, "5.5.1", "Commande inconnue ; HELP donne la liste", "Unknown command; HELP lists them")
    NOT_IMPLEMENTED = (502, "5.5.1", "Commande non prise en charge", "Command not implemented")
    LINE_TOO_LONG = (
        500,
        "5.5.2",
        "Ligne de commande trop longue : 2048 octets au plus, CRLF compris",
        "Command line too long: 2048 octets at most, CRLF included",
    )
    BARE_LF = (
        500,
        "5.5.2",
        "Ligne terminée par LF seul : terminez chaque commande par CR LF",
        "Line ended by a bare LF: end each command with CR LF",
    )
    NOT_ASCII = (
        500,
        "5.5.2",
        "Octet hors ASCII imprimable dans la commande : SMTPUTF8 n'est pas proposé",
        "Octet outside printable ASCII in the command: SMTPUTF8 is not offered",
    )
    ARGUMENT = (501, "5.5.4", "Argument absent ou en trop pour cette commande", "Missing or unexpected argument")
    EHLO_FIRST = (503, "5.5.1", "Envoyez d'abord EHLO suivi de votre nom d'hôte", "Send EHLO and your host name first")
    MAIL_FIRST = (503, "5.5.1", "Envoyez d'abord MAIL FROM", "Send MAIL FROM first")
    RCPT_FIRST = (503, "5.5.1", "Aucun destinataire accepté : envoyez RCPT TO", "No recipient accepted: send RCPT TO")
    NESTED_MAIL = (
        503,
        "5.5.1",
        "Une transaction est déjà ouverte : RSET avant un nouveau MAIL",
        "A transaction is already open: RSET before another MAIL",
    )
    MAIL_SYNTAX = (
        501,
        "5.5.4",
        "Syntaxe attendue : MAIL FROM:<adresse> [paramètres], adresse entre chevrons",
        "Expected: MAIL FROM:<address> [parameters], the address in angle brackets",
    )
    RCPT_SYNTAX = (
        501,
        "5.5.4",
        "Syntaxe attendue : RCPT TO:<adresse> [paramètres], adresse entre chevrons",
        "Expected: RCPT TO:<address> [parameters], the address in angle brackets",
    )
    SENDER_ADDRESS = (
        553,
        "5.1.7",
        "Adresse d'expéditeur mal formée : attendu local@domaine en ASCII",
        "Malformed sender address: local@domain in ASCII expected",
    )
    RECIPIENT_ADDRESS = (
        553,
        "5.1.3",
        "Adresse de destinataire mal formée : attendu local@domaine en ASCII",
        "Malformed recipient address: local@domain in ASCII expected",
    )
    ADDRESS_LENGTH = (
        553,
        "5.1.3",
        "Adresse trop longue : 64 octets au plus avant @, 254 en tout",
        "Address too long: at most 64 octets before @, 254 in all",
    )
    PARAMETER_SYNTAX = (501, "5.5.4", "Paramètre mal formé ou répété", "Malformed or repeated parameter")
    PARAMETER_VALUE = (
        501,
        "5.5.4",
        "Valeur refusée : SIZE en chiffres, RET=FULL|HDRS, ENVID xtext, NOTIFY=NEVER|SUCCESS,FAILURE,DELAY, ORCPT=type;xtext",
        "Value refused: SIZE in digits, RET=FULL|HDRS, ENVID xtext, NOTIFY=NEVER|SUCCESS,FAILURE,DELAY, ORCPT=type;xtext",
    )
    PARAMETER = (
        555,
        "5.5.4",
        "Paramètre inconnu : seuls ceux que la réponse à EHLO annonce sont admis",
        "Unknown parameter: only those that the EHLO reply announces are allowed",
    )
    BODY = (501, "5.5.4", "BODY vaut 7BIT ou 8BITMIME", "BODY is 7BIT or 8BITMIME")
    SMTPUTF8 = (
        555,
        "5.6.7",
        "SMTPUTF8 n'est pas admis dans l'espace de confiance : adresses en ASCII",
        "SMTPUTF8 is not allowed in the trust space: ASCII addresses only",
    )
    TLS_ALREADY = (503, "5.5.1", "TLS est déjà actif", "TLS is already active")
    TLS_UNAVAILABLE = (
        454,
        "4.7.0",
        "TLS momentanément indisponible",
        "TLS temporarily unavailable",
    )
    INJECTION = (
        554,
        "5.5.0",
        "Des commandes suivaient STARTTLS en clair : attendez la réponse 220 avant d'écrire",
        "Commands followed STARTTLS in clear: wait for the 220 reply before writing",
    )
    DATA_STORAGE = (
        452,
        "4.3.1",
        "Espace de réception insuffisant, rien n'a été accepté : réessayez plus tard",
        "Not enough space to receive, nothing was accepted: try again later",
    )
    TIMEOUT = (421, "4.4.2", "Délai d'inactivité dépassé, connexion fermée", "Idle for too long, closing")
    TOO_MANY_CONNECTIONS = (
        421,
        "4.7.0",
        "Trop de connexions simultanées : réutilisez les vôtres, ou réessayez plus tard",
        "Too many connections: reuse yours, or try again later",
    )
    TOO_MANY_ERRORS = (421, "4.7.0", "Trop d'erreurs dans cette session", "Too many errors in this session")
    SHUTTING_DOWN = (421, "4.3.2", "Arrêt du service, réessayez plus tard", "Service shutting down, try again later")
    INTERNAL = (
        421,
        "4.3.0",
        "Erreur interne, rien n'a été accepté : réessayez plus tard",
        "Internal error, nothing was accepted: try again later",
    )
    AUTH_UNAVAILABLE = (503, "5.5.1", "AUTH n'est pas proposé ici", "AUTH is not offered here")
    AUTH_TWICE = (503, "5.5.1", "Vous êtes déjà authentifié", "You are already authenticated")
    AUTH_IN_TRANSACTION = (
        503,
        "5.5.1",
        "AUTH est interdit pendant une transaction",
        "AUTH is not allowed in a transaction",
    )
    AUTH_MECHANISM = (
        504,
        "5.5.4",
        "Mécanisme inconnu : PLAIN, LOGIN ou EXTERNAL",
        "Unknown mechanism: PLAIN, LOGIN or EXTERNAL",
    )
    AUTH_BASE64 = (501, "5.5.2", "Réponse qui n'est pas du base64", "The response is not base64")
    AUTH_FORM = (
        501,
        "5.5.2",
        "Réponse PLAIN mal formée : attendu [autorisation] NUL adresse NUL mot de passe, en base64",
        "Malformed PLAIN response: [authorisation] NUL address NUL password expected, in base64",
    )
    AUTH_CANCELLED = (501, "5.7.0", "Authentification abandonnée", "Authentication cancelled")

    @property
    def code(self) -> int:
        """The SMTP code."""
        return int(self.value[0])

    def in_(self, lang: Lang) -> SmtpReply:
        """The reply in one language."""
        code, enhanced, fr, en = self.value
        return SmtpReply(code, enhanced, en if lang is Lang.EN else fr)


@cache
def wire(reply: Reply, lang: Lang) -> bytes:
    """The octets of a fixed reply, CRLF included."""
    return reply.in_(lang).wire().encode("ascii") + b"\r\n"
