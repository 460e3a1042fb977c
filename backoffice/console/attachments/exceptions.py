from backoffice.exceptions import DomainError


class AttachmentRefused(DomainError):
    """A file that cannot be attached; says why, and what to do."""
