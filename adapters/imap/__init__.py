"""IMAP4rev1 on the storage port: pymap reads and answers the protocol, the store holds folders and mails.

`listeners.py` opens the ports, `connection.py` and `state.py` carry one client, `session.py` and `postbox.py` its mailbox,
`mime.py`, `structure.py`, `opened.py`, `fetching.py` and `search.py` its mails. Each file says where it departs from pymap.
"""

from adapters.imap.limits import ImapLimits
from adapters.imap.listeners import ImapListeners
from adapters.imap.login import CertificateOpens

__all__ = ["CertificateOpens", "ImapLimits", "ImapListeners"]
