"""What a run says at its end: a table, JUnit properties, lines of results."""
