"""MSSanté: mail, mailboxes, the trust space, headers, notifications, and their rules."""
