"""INS: the matricule, the strict traits, and what makes them trustworthy.

`model` holds the `IdentityView` that every other room fills; `matricule`, `traits`, `dates` and `cog` are the arithmetic
of the Référentiel INS; `known` the identities published for tests. The `rules_*` modules compare views and nothing else:
`rules` gathers them in `VIEW_RULES` and `CROSS_RULES`; `profiles` says what each partner's profile changes.
"""
