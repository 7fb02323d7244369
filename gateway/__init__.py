"""The core of the gateway simulator: what a message is, what is wrong with it, what becomes of it.

Nothing here touches a socket, a file, a clock or the environment: the adapters hand those in.
Read the rooms in the order a message crosses them: `exchange` leads, the others answer.
"""

__version__ = "0.1.0"
