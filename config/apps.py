from django.apps import AppConfig


class StockbookConfig(AppConfig):
    """The composition root is an app too, for the commands that know every room."""

    name = "config"
    label = "config"
