"""The console: server-rendered pages, French first, for someone who explains what happened on a big screen.

Strict CSP, no inline script or style, nothing loaded from elsewhere. `routes` serves pages, `session` guards them,
`shown` turns stored rows into what a page shows, `static/console.js` only makes the list live.
"""
