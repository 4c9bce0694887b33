"""What a study is, what comes next for a participant, and the machine learning inside it."""
