"""Counts plain text. Version 1: one function, a tuple comes back."""


def count(text):
    """The number of lines and of words in `text`."""
    return len(text.splitlines()), len(text.split())
