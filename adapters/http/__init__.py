"""HTTP doors: a Starlette application served inside the running event loop, and the certificate its client showed."""
