"""For pytest: PostgreSQL and templates are the real ones, only hashing is cheap."""

from config.embedded import TEMPLATE, start_embedded_postgres

from .base import *  # noqa: F403
from .base import BASE_DIR, DATABASE_URL, LOGGING, database, env

ENVIRONMENT = "Test"
DEMO_ALLOWED = True
SECRET_KEY = "for-tests-only"
ALLOWED_HOSTS = ["*"]

DATABASES = {"default": database(DATABASE_URL or start_embedded_postgres(BASE_DIR / ".postgres"))}
DATABASES["default"]["TEST"] = {
    # Another name lets two runs share a server.
    "NAME": env.str("TEST_DATABASE", default="test_stockbook"),
    "TEMPLATE": None if DATABASE_URL else TEMPLATE,
}

AUDIT_SIGNING_KEY = str(BASE_DIR / ".keys" / "test.pem")
AUDIT_PUBLIC_KEYS = []
AUDIT_PUBLISH = []
AUDIT_MAKE_MISSING_KEY = True

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MEDIA_ROOT = BASE_DIR / ".media" / "test"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
LOGGING = {**LOGGING, "root": {"handlers": ["stderr"], "level": "WARNING"}}
