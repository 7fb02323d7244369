"""The throw-away TEST public key infrastructure, shaped like IGC-Santé, and the TLS contexts made from it.

`authority` issues, revokes and re-opens; `leaves` says what each profile of certificate holds; `contexts` turns issued
certificates into `ssl.SSLContext`s and reads who stands at the other end; `doctor` explains why one is refused.
"""
