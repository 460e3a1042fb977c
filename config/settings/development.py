"""On a developer's machine, and for `make demo` (which sets DEBUG=0)."""

from config.embedded import start_embedded_postgres

from .base import *  # noqa: F403
from .base import (
    AUDIT_SIGNING_KEY,
    BASE_DIR,
    DATABASE_URL,
    INSTALLED_APPS,
    MIDDLEWARE,
    database,
    env,
)

DEBUG = env.bool("DEBUG", default=True)
DEMO_ALLOWED = True
ENVIRONMENT = env.str("ENVIRONMENT", default="Development")
SECRET_KEY = env.str("SECRET_KEY", default="for-development-only")
ALLOWED_HOSTS = ["*"]

DATABASE_URL = DATABASE_URL or start_embedded_postgres(BASE_DIR / ".postgres")
DATABASES = {"default": database(DATABASE_URL)}

# Made when it is needed first.
AUDIT_SIGNING_KEY = AUDIT_SIGNING_KEY or str(BASE_DIR / ".keys" / "development.pem")
AUDIT_MAKE_MISSING_KEY = True

# Static files are served from where they are, without a collectstatic first.
STATIC_ROOT = None
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

if DEBUG:
    INSTALLED_APPS = [*INSTALLED_APPS, "debug_toolbar"]
    MIDDLEWARE = ["debug_toolbar.middleware.DebugToolbarMiddleware", *MIDDLEWARE]
    INTERNAL_IPS = ["127.0.0.1"]
