"""What people drew, as data: records, the formats of other programmes, agreement."""
