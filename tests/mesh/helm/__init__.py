"""The Helm installer against a recording double."""
