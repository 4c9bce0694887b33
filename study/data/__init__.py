"""Image datasets with labels, object masks and contexts."""
