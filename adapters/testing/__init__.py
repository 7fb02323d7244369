"""For those who test their own software against the sandbox: a gateway in a process of its own, and a pytest fixture."""
