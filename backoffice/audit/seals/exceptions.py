from backoffice.exceptions import DomainError


class SealError(DomainError):
    """Seals cannot be made, published or verified as things stand. The text says what to do."""


class KeyMissing(SealError):
    """There is no key to sign with, or none to verify by."""
