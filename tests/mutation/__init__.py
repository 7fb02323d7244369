"""Mutation testing of the rule code: `make mutation`, by hand. How it is measured and what survives: docs/mutation.md."""
