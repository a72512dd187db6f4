"""The commands that a person types: one command, one file."""
