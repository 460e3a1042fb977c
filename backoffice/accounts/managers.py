import unicodedata
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import UserManager as DjangoUserManager

if TYPE_CHECKING:
    from .models import User


MOST_DOMAIN_CHARACTERS = 255


def normalise_email(value: str) -> str:
    """The one form of an address that is stored and looked up: NFKC, casefolded, trimmed.

    A domain that is not ASCII stands in its own letters: browsers send "müller.de" from a field of
    type email as "xn--mller-kva.de", shells and files as it is.
    """
    local, at, domain = _fold(value).strip().rpartition("@")
    if "xn--" in domain and len(domain) < MOST_DOMAIN_CHARACTERS:
        with suppress(UnicodeError):
            domain = _fold(domain.encode("ascii").decode("idna"))
    return f"{local}{at}{domain}"


def _fold(text: str) -> str:
    # Lower at last: casefolding turns a few scripts into capitals, which the database would not.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).lower()


class UserManager(DjangoUserManager["User"]):
    """Makes users that sign in by e-mail."""

    def create_user(  # type: ignore[override]
        self, email: str, password: str | None = None, **fields: Any
    ) -> "User":
        if not normalise_email(email):
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(  # type: ignore[override]
        self, email: str, password: str | None = None, **fields: Any
    ) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        return normalise_email(email or "")
