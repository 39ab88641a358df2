"""The cluster under the mesh: providers, life cycle, leases."""
