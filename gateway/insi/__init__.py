"""INSi, the teleservice that gives and verifies an INS: what a call says, the national base it asks, what it answers.

`opening` reads a call, `base` is the fictitious national base of a workspace, `answer` asks it, `rules` judge call and
answer. `asking` and `plan` are the other side: how a software calls, and in which order it tries given names. Source of
the wire: INSi guide SEL-MP-043 as public clients show it; what no public source gives is a choice of this sandbox.
"""
