from django.apps import AppConfig


class HiringConfig(AppConfig):
    name = "hiring"

    def ready(self):
        from . import receivers  # noqa: F401
