"""What is installed in a cluster and what it says about itself: Bookinfo, waypoints, readiness, features."""
