"""Which images to annotate next."""
