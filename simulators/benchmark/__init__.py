"""Strategies and interfaces compared by simulated annotators, under budgets of annotator time."""
