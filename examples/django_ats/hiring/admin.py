"""Django's admin: positions are kept here; applicants and interviews are looked at, with links to their pages."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

import hirenow
from hirenow.contrib.django import actor_of, run_in_transaction

from .models import Application, Candidate, Position

admin.site.register(Position, list_display=["title", "title_de"])


class ReadOnly:
    """What the engine and its pages change is not changed behind their back."""

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class ApplicationsOf(ReadOnly, admin.TabularInline):
    model = Application
    fields = readonly_fields = ["position", "stage", "page"]

    @admin.display(description="interview")
    def page(self, application):
        return link_to(application.interview_id)


@admin.register(Candidate)
class CandidateAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["name", "email"]
    search_fields = ["name", "email"]
    inlines = [ApplicationsOf]


@admin.register(Application)
class ApplicationAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["candidate", "position", "stage", "page"]
    list_filter = ["stage", "position"]
    list_select_related = ["candidate", "position"]
    search_fields = ["candidate__name", "candidate__email"]
    fields = ["candidate", "position", "stage", "attempts"]

    def get_object(self, request, *args, **kwargs):
        """The row, with what the engine lets this user see of its interviews."""
        application = super().get_object(request, *args, **kwargs)
        if application and application.interview_id:
            try:
                application.seen = run_in_transaction(
                    lambda engine: engine.history(application.interview_id, actor=actor_of(request)).attempts
                )
            except hirenow.PermissionDeniedError:
                application.seen = None
        return application

    @admin.display(description="interview")
    def page(self, application):
        return link_to(application.interview_id)

    @admin.display(description="interviews")
    def attempts(self, application):
        if not application.interview_id:
            return "-"
        if application.seen is None:
            return "only for recruiters, reviewers and admins"
        seen = (i for i in application.seen if i.track == application.track)
        return format_html_join(
            mark_safe("<br>"), "{}: {}", ((link_to(i.id, f"attempt {i.attempt}"), i.state) for i in seen)
        )


def link_to(interview_id, words="open"):
    if not interview_id:
        return "-"
    return format_html('<a href="{}">{}</a>', reverse("interview", args=[interview_id]), words)
