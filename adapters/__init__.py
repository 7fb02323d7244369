"""Everything that touches a wire, a disk or a screen. Adapters serialise answers and decide nothing.

`app.py` is the one place that wires settings, adapters and core together.
"""
