"""Rules about what a mesh does while parts of it restart or are away; all disturb it."""
