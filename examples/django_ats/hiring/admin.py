from django.contrib import admin

from .models import Application, Candidate, Position

admin.site.register(Position)
admin.site.register(Candidate, list_display=["name", "email"], search_fields=["name", "email"])
admin.site.register(
    Application,
    list_display=["candidate", "position", "stage"],
    list_filter=["stage", "position"],
    readonly_fields=["interview_id"],
)
