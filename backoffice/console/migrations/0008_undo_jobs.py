import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """An undo of many rows is a job of the same kind; it names what it undoes."""

    dependencies = [
        ("audit", "0006_archives"),
        ("console", "0007_cache_table"),
    ]

    operations = [
        migrations.AddField(
            model_name="bulkjob",
            name="undoes",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="undo_jobs",
                to="audit.changeset",
                verbose_name="undoes",
            ),
        ),
    ]
