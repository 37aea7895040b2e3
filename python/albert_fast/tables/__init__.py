"""The user's table -> `Frame` -> the same kind of table."""
