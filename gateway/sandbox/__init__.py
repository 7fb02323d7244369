"""Workspaces: policy, limits, virtual clock and fault plan."""
