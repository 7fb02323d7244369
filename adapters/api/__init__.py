"""The control API `/api/v1`: what went through, why it was judged so, and the levers of the sandbox.

Bearer token even on loopback, Host header checked, errors as RFC 9457 problems with a stable `code`.
"""
