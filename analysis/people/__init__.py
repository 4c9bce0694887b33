"""The questions a study of people asks of its tables, each answered with tables."""
