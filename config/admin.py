"""What other packages put into the admin and we show elsewhere, or nowhere."""

from django.contrib import admin
from django_tasks_db.models import DBTaskResult

from backoffice.console import house  # noqa: F401 - it registers

# The page of each import and export says how its work goes; a task's state is no truth of ours.
admin.site.unregister(DBTaskResult)
