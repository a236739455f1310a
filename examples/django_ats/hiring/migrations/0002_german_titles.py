"""Positions have a German title, too."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hiring", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="position",
            name="title_de",
            field=models.CharField(blank=True, max_length=100, verbose_name="German title"),
        ),
    ]
