"""The Gateway API against a pretended cluster and a server of files."""
