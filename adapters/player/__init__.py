"""Plays scenarios over real sockets: the clients' side of every door, and what they must see.

`world` knows the territory and composes messages, `verbs` do one step each, `player` runs a story, `narrator` tells it.
"""
