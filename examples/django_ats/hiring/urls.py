from django.urls import include, path
from rest_framework.routers import SimpleRouter

from . import applicant_api, pages, staff_api

router = SimpleRouter()
router.register("interviews", staff_api.Interviews, basename="interviews")
router.register("applications", staff_api.Applications, basename="applications")

urlpatterns = [
    path("", pages.board, name="board"),
    path("interviews/<uuid:interview_id>/", pages.interview, name="interview"),
    path("interview/", pages.applicant, name="applicant"),
    path("api/", include(router.urls)),
    path("api/sitting/look/", applicant_api.Look.as_view()),
    path("api/sitting/begin/", applicant_api.Begin.as_view()),
    path("api/sitting/save/", applicant_api.Save.as_view()),
    path("api/sitting/submit/", applicant_api.Submit.as_view()),
    path("api/sitting/ask-for-link/", applicant_api.AskForLink.as_view()),
]
