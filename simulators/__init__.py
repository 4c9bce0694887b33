"""Simulated people: where their hand goes, how long it takes them, what they answer."""
