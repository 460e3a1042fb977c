"""Where the shop's real data is. Everything secret or local comes from the environment."""

from django.core.exceptions import ImproperlyConfigured

from .base import *  # noqa: F403
from .base import DATABASE_URL, database, env

_REQUIRED = {
    "DATABASE_URL": "the database, such as postgres://stockbook:password@db.internal/stockbook",
    "SECRET_KEY": "50 or more random characters, kept secret, the same on every server",
    "ALLOWED_HOSTS": "the host names that users type, comma-separated, such as shop.example.com",
}
_missing = [
    f"  {name}: {meaning}"
    for name, meaning in _REQUIRED.items()
    if not env.str(name, default="").strip()
]
if _missing:
    raise ImproperlyConfigured(
        "Stockbook cannot start in production. Set these environment variables (or put them "
        "into .env):\n" + "\n".join(_missing)
    )

ENVIRONMENT = env.str("ENVIRONMENT", default="Production")
SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
DATABASES = {"default": database(DATABASE_URL)}

CSRF_TRUSTED_ORIGINS = env.list(
    "CSRF_TRUSTED_ORIGINS",
    # ".example.com" allows the domain and all below it.
    default=[
        f"https://{name}"
        for host in ALLOWED_HOSTS
        for name in ([host[1:], f"*{host}"] if host.startswith(".") else [host])
    ],
)
# TLS may end at a proxy; one that is trusted says so in this header.
if env.int("TRUSTED_PROXIES", default=0):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
# Off unless asked for: they bind every other host below the shop's domain, for a year.
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=False)
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
