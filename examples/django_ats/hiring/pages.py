"""The pages: plain HTML from the server, and a little script that calls the API."""

import uuid

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

import hirenow
from hirenow import Event, InterviewState, Role
from hirenow.contrib.django import actor_of, run_in_transaction

from . import shapes
from .models import Application, Position, title_of

CLOSED = (InterviewState.ARCHIVED, InterviewState.CANCELLED)


def staff(request):
    actor = actor_of(request)
    if not actor.roles:
        raise PermissionDenied("no role")
    return actor


@login_required
@require_safe
@never_cache
@ensure_csrf_cookie
def board(request):
    """All interviews, and what may be done next."""
    actor = staff(request)
    state = request.GET.get("state", "")
    if state and state not in list(InterviewState):
        raise Http404

    def work(engine):
        page = engine.list(
            actor=actor, state=InterviewState(state) if state else None, cursor=request.GET.get("cursor", ""), limit=25
        )
        return page, [
            (row, None if row.interview.state in CLOSED else engine.retake_eligibility(row.interview.id, actor=actor))
            for row in page
        ]

    try:
        page, rows = run_in_transaction(work)
    except hirenow.InvalidArgumentError:  # a cursor that is none
        raise Http404 from None
    titles = {p.slug: p.title_in(get_language()) for p in Position.objects.all()}
    waiting = Application.objects.filter(interview_id=None).select_related("candidate", "position")[:25]
    return render(
        request,
        "hiring/board.html",
        {
            "rows": [
                {
                    "i": row.interview,
                    "name": row.applicant_name,
                    "may": may,
                    "words": shapes.words(may) if may else "",
                    "click": uuid.uuid4(),
                    "title": titles.get(row.interview.track.partition("/")[0], row.interview.track),
                }
                for row, may in rows
            ],
            "counts": [(s.value, page.counts[s]) for s in InterviewState],
            "state": state,
            "next": page.next,
            "waiting": [
                {"application": a, "title": a.position.title_in(get_language()), "click": uuid.uuid4()} for a in waiting
            ],
            "recruits": not actor.roles.isdisjoint((Role.RECRUITER, Role.ADMIN)),
        },
    )


@login_required
@require_safe
@never_cache
@ensure_csrf_cookie
def interview(request, interview_id):
    """One interview: its attempts, its history, its mail, and the decision."""
    actor = staff(request)

    def work(engine):
        history = engine.history(interview_id, actor=actor)
        try:
            verified = engine.verify_audit(history.person.id, actor=actor).entries
        except hirenow.AuditBrokenError as broken:
            verified = str(broken)
        return (
            history,
            verified,
            engine.retake_eligibility(interview_id, actor=actor),
            {a.event for a in engine.permitted_actions(interview_id, actor=actor) if a.allowed},
        )

    try:
        history, verified, may, allowed = run_in_transaction(work)
    except (hirenow.NotFoundError, hirenow.InvalidArgumentError):
        raise Http404 from None
    this = next(i for i in history.attempts if i.id == interview_id)
    return render(
        request,
        "hiring/interview.html",
        {
            "history": history,
            "i": this,
            "title": title_of(this.track, get_language()),
            "may": may,
            "words": shapes.words(may),
            "verified": verified,
            "is_verified": isinstance(verified, int),
            "click": uuid.uuid4(),
            "decides": Event.PASS in allowed,
            "reissues": Event.REISSUE in allowed,
            "cancels": Event.CANCEL in allowed,
            "recruits": not actor.roles.isdisjoint((Role.RECRUITER, Role.ADMIN)),
        },
    )


@require_safe
@never_cache
@ensure_csrf_cookie
def applicant(request):
    """The page that links lead to. The same for everybody: what is behind the link, its script asks."""
    return render(request, "hiring/applicant.html")
