"""Scenarios: stories told in YAML, played over real wires, each step with what must be seen."""
