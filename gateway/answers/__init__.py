"""Native answers as pure functions of a decision: what each protocol says, and how it explains a refusal."""
