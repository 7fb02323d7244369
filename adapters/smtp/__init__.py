"""SMTP: the doors operators and clients come in by, and the courier that goes out to other operators.

In: `server` speaks the protocol (`data` and `grammar` read it, `body` keeps the octets), `reception` and `submission` are the two
roles of a door, `listeners` opens the ports. Out: `relay` carries one delivery, over connections that `pool` keeps.
"""
