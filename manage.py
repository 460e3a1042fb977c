#!/usr/bin/env python
"""Django's command line; what a command writes is on the record as written by it."""

import getpass
import os
import sys

from backoffice.audit.context import Source, audit_context


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.development")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - settings first

    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    source = Source.SHELL if command == "shell" else Source.COMMAND
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        name = f"uid {os.getuid()}"
    with audit_context(source=source, action=f"manage.py {command}", actor_name=f"{name} (system)"):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
