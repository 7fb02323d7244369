"""The simulated DMP: envelopes, VIHF, lots of submission, queries and rights, as pure functions over bytes.

`opening` turns one request into frozen values; `rules` judges them; `build` makes our own requests; `answer_read` reads
what a DMP answered. No lxml element leaves this room. The DMP is fictitious: texts and DMP codes that no public source
gives are listed in `docs/decisions.md`.
"""
