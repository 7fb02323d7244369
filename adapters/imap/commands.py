"""The commands this server reads: pymap's, made safe, and those it lacks.

Deviations from pymap 0.36.7: AUTHENTICATE takes an initial response (SASL-IR, RFC 4959); APPEND keeps its literal where it
was read instead of copying it; UNSELECT (RFC 3691) and NAMESPACE (RFC 2342) are added.
"""

from __future__ import annotations

import re

from pymap.parsing import EndLine, Params, Space
from pymap.parsing.command import Command, CommandAuth, CommandNoArgs, CommandSelect
from pymap.parsing.command.auth import AppendCommand
from pymap.parsing.command.nonauth import AuthenticateCommand
from pymap.parsing.commands import Commands, InvalidCommand
from pymap.parsing.exceptions import InvalidContent, NotParseable, UnexpectedType
from pymap.parsing.message import AppendMessage
from pymap.parsing.primitives import Atom, List
from pymap.parsing.specials import DateTime, Flag
from pymap.parsing.state import ExpectContinuation

from adapters.imap.names import check_names

_HEAD = re.compile(rb"([^\s(){%*\"\\+]+) +((?:[Uu][Ii][Dd] +)?[A-Za-z-]+)")
_INITIAL = re.compile(rb"[ \t]+([A-Za-z0-9+/=]+)")
_LITERAL = re.compile(rb" *~?\{(\d{1,10})(\+?)\}\r?\n")


class SafeAuthenticate(AuthenticateCommand):
    """AUTHENTICATE with an optional initial response; `=` stands for an empty one."""

    def __init__(self, tag: bytes, mech_name: bytes, initial: bytes | None = None) -> None:
        super().__init__(tag, mech_name)
        self.initial = initial

    @classmethod
    def parse(cls, buf: memoryview, params: Params) -> tuple[SafeAuthenticate, memoryview]:
        _, buf = Space.parse(buf, params)
        mechanism, after = Atom.parse(buf, params)
        given = _INITIAL.match(after)
        initial = None
        if given is not None:
            initial = b"" if given.group(1) == b"=" else given.group(1)
            after = after[given.end() :]
        _, after = EndLine.parse(after, params)
        return cls(params.tag, mechanism.value.upper(), initial), after


class SafeAppend(AppendCommand):
    """APPEND of one or several messages (RFC 3502). Each message is a view of the octets received."""

    @classmethod
    def _parse_msg(cls, name: str, buf: memoryview, params: Params) -> tuple[AppendMessage | None, memoryview]:
        _, buf = Space.parse(buf, params)
        flags: frozenset[Flag] = frozenset()
        try:
            listed, buf = List.parse(buf, params.copy(expected=[Flag]))
            flags = frozenset(listed.get_as(Flag))
            _, buf = Space.parse(buf, params)
        except UnexpectedType:
            raise
        except NotParseable:
            pass
        when = None
        try:
            stamp, buf = DateTime.parse(buf, params)
            when = stamp.value
            _, buf = Space.parse(buf, params)
        except InvalidContent:
            raise
        except NotParseable:
            pass
        literal, buf = _literal(buf, params)
        if not literal:
            return None, buf
        return AppendMessage(literal, when, flags), buf  # type: ignore[arg-type]


def _literal(buf: memoryview, params: Params) -> tuple[memoryview, memoryview]:
    """The literal at the head of `buf`, uncopied, and what follows it."""
    match = _LITERAL.match(buf)
    if match is None:
        raise NotParseable(buf)
    length = int(match.group(1))
    if params.max_append_len is not None and length > params.max_append_len:
        raise NotParseable(buf[:0], b"TOOBIG")
    after = buf[match.end() :]
    if not match.group(2):
        if len(after):
            raise NotParseable(buf[:0])
        after = ExpectContinuation(b"Literal string", length).expect(params.state)
    if len(after) < length:
        raise NotParseable(buf[:0])
    return after[:length], after[length:]


class UnselectCommand(CommandNoArgs, CommandSelect):
    """Leave the selected folder without expunging."""

    command = b"UNSELECT"


class NamespaceCommand(CommandNoArgs, CommandAuth):
    """Where folders live: all in one personal namespace."""

    command = b"NAMESPACE"


class SafeCommands(Commands):
    """Every command of this server. What cannot be parsed is an InvalidCommand, never an exception."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()
        for command in (SafeAuthenticate, SafeAppend, UnselectCommand, NamespaceCommand):
            self.register(command)

    def parse(self, buf: memoryview, params: Params) -> tuple[Command, memoryview]:
        """The command at the head of `buf`. Raises only ParsingInterrupt, to ask for the next literal."""
        head = _HEAD.match(buf)
        if head is None:
            return super().parse(buf, params)
        name = b" ".join(head.group(2).upper().split())
        try:
            check_names(name, buf[head.end() :], params)
            return super().parse(buf, params)
        except NotParseable as wrong:
            failure = wrong
        except (ValueError, LookupError, TypeError, RecursionError):
            failure = NotParseable(buf[:0])
        return InvalidCommand(params.copy(tag=head.group(1)), failure, name, self.commands.get(name)), buf[:0]
