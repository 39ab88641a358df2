"""The istioctl installer against a recording double."""
