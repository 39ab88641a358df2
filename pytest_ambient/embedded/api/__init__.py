"""The Kubernetes API of the embedded cluster: a store of objects and the server that speaks for it."""
