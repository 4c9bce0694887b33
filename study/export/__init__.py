"""The log as tidy tables, with what explains them: columns, questions, versions."""
