"""Verdicts on files and exchanges, and the reports that carry them: JSON, JUnit, SARIF."""
