"""hirenow's tables, made through Django's connection and in its transaction, and the permissions of the roles.

Going back forgets the migration and leaves the tables: what is archived is not dropped by a command. To drop them, drop
PostgreSQL's schema, or delete the SQLite file.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

from hirenow.contrib.django._tables import create_tables


def create(apps: Any, schema_editor: Any) -> None:
    """Makes the tables, in the database that the settings name and in no other."""
    from hirenow.contrib.django._conf import conf

    if schema_editor.connection.alias == conf.database:
        create_tables(schema_editor.connection, conf.schema)


class Migration(migrations.Migration):
    """The first."""

    initial = True
    dependencies = [("auth", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="Access",
            fields=[],
            options={
                "verbose_name": "access",
                "verbose_name_plural": "access",
                "permissions": [
                    ("recruiter", "Is a recruiter: invites, allows retakes, cancels"),
                    ("reviewer", "Is a reviewer: reads what was submitted, and decides"),
                    ("admin", "Is an admin: may do both, and set policies, reopen and erase"),
                ],
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("auth.permission",),
        ),
        migrations.RunPython(create, migrations.RunPython.noop),
    ]
