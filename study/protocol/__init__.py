"""What a participant does, in which order, and what was recorded."""
