"""The experiments of the documents, ready to run, beside what was published."""
