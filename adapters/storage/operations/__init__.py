"""One handler per operation of the `Store` port, by family. `HANDLERS` is the dispatch table of the writer.

A handler gets the `Work` of the group and several operations of its kind; it returns one result each. When it raises,
the writer undoes them and applies each alone, so a handler may assume that everything goes well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from adapters.storage.operations import (
    actors,
    exchanges,
    finishing,
    indexes,
    integration,
    mailboxes,
    outbox,
    retention,
    sharing,
)
from adapters.storage.operations.retention import Purge
from adapters.storage.work import Work
from gateway import ports

Handler = Callable[[Work, Sequence[Any]], Sequence[Any]]

HANDLERS: Mapping[type, Handler] = MappingProxyType(
    {
        ports.RecordExchange: exchanges.record,
        ports.AppendEvent: exchanges.append_events,
        ports.LeaseDeliveries: outbox.lease,
        ports.FinishDelivery: finishing.finish,
        ports.AppendMail: mailboxes.append,
        ports.CopyMail: mailboxes.copy,
        ports.SetFlags: mailboxes.set_flags,
        ports.ExpungeMail: mailboxes.expunge,
        ports.ChangeFolder: mailboxes.change_folder,
        ports.PutActors: actors.put,
        ports.PutDmp: sharing.put_dmp,
        ports.PutWorkspace: actors.put_workspace,
        ports.ResetWorkspace: retention.reset,
        ports.PutIdentity: indexes.put,
        ports.RecordIntegration: integration.record,
        ports.DecideQuarantine: integration.decide,
        Purge: retention.purge,
    }
)

# Kinds that gain from being applied together when many tasks commit one each at the same time.
TOGETHER = frozenset({ports.RecordExchange, ports.FinishDelivery, ports.AppendEvent, ports.AppendMail, ports.SetFlags})

# Kinds that read or delete what other operations keep for the end of the group.
BARRIERS = frozenset({ports.ResetWorkspace, Purge})

__all__ = ["BARRIERS", "HANDLERS", "TOGETHER", "Handler", "Purge"]
