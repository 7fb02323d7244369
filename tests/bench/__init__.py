"""Measurements against named peers in the same run, as ratios. `python -m tests.bench` prints them; nothing asserts a time.

`load` sends mails and keeps the ledger of what was acknowledged (the fault tests use it as well), `mails` writes them,
`sink` is the peer, `process` reads what the kernel knows of a process, `figures` measures.
"""
