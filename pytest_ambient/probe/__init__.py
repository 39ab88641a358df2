"""What asks the cluster: which pod calls, in which rounds, who else saw it, and what came of it."""
