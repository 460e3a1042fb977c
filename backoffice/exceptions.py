"""What every room may refuse with."""


class DomainError(Exception):
    """A rule of the business says no. The text is for people: what is wrong, and what to do next.

    Subclasses carry the data behind the text as attributes, for the API and for tests.
    """
