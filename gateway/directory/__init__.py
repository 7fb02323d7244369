"""Who is who: structures, professionals, mailboxes, operators, patients, and their national identifiers."""
