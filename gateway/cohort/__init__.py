"""Cohorts: a synthetic population whose truth is known, and the messages that carry it, clean and spoilt.

Everything follows from a seed: the same seed gives the same octets on any machine. `population` makes the people, `written`
their messages, `MUTATIONS` names what can go wrong, `scoring` judges both and counts what was caught, missed or told wrongly.
"""
