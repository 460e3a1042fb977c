from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "backoffice.console"
    label = "console"
