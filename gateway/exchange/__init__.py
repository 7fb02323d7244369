"""The road itself: intake, opening, decision, routing, delivery, journal."""
