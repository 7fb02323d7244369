"""INS: the matricule, the strict traits, and what makes them trustworthy.

`model` holds the `IdentityView` that every other room fills; `matricule` and `traits` are the arithmetic of the
Référentiel INS; the rule modules compare views and nothing else.
"""
