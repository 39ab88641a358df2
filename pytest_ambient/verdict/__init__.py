"""What is asked, what was seen, what was wanted and whether it holds: pure values, no input or output."""
