"""The staff's part of the API."""

from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from hirenow import InterviewState, Outcome
from hirenow.contrib.django import actor_of, run_in_transaction

from . import interviews, shapes
from .models import Application
from .permissions import IsRecruiter, IsReviewer, IsStaff


def key_of(request):
    """The client's name for this very request: sent again, it gets the same answer again."""
    return request.headers.get("Idempotency-Key") or None


def checked(shape, request):
    body = shape(data=request.data)
    body.is_valid(raise_exception=True)
    return body.validated_data


class Interviews(ViewSet):
    permission_classes = [IsStaff]
    lookup_value_regex = "[0-9a-f-]{36}"

    def list(self, request):
        state = request.query_params.get("state")
        if state and state not in list(InterviewState):
            raise NotFound("no such state")
        page = run_in_transaction(
            lambda engine: engine.list(
                actor=actor_of(request),
                state=InterviewState(state) if state else None,
                cursor=request.query_params.get("cursor", ""),
                limit=50,
            )
        )
        return Response(
            {
                "rows": [shapes.row(r) for r in page],
                "next": page.next,
                "counts": {str(s): n for s, n in page.counts.items() if n},
            }
        )

    def retrieve(self, request, pk):
        actor = actor_of(request)

        def work(engine):
            history = engine.history(pk, actor=actor)
            may = engine.retake_eligibility(pk, actor=actor)
            return history, may, engine.permitted_actions(pk, actor=actor)

        history, may, actions = run_in_transaction(work)
        return Response(
            {
                "applicant": {"id": history.person.id, "name": history.person.name},
                "attempts": [shapes.interview(i) for i in history.attempts],
                "retake": shapes.eligibility(may),
                "actions": [a.what for a in actions if a.allowed],
                "messages": [
                    {"kind": m.key.kind, "state": m.state, "interview": str(m.key.interview), "tries": m.tries}
                    for m in history.messages
                ],
            }
        )

    @action(methods=["post"], detail=True, permission_classes=[IsRecruiter])
    def retake(self, request, pk):
        reason = checked(shapes.Reason, request)["reason"]
        return Response(shapes.interview(interviews.retake(pk, actor_of(request), key_of(request), reason)), status=201)

    @action(methods=["post"], detail=True, permission_classes=[IsReviewer])
    def decide(self, request, pk):
        body = checked(shapes.Decision, request)
        return Response(
            shapes.interview(
                interviews.decide(pk, actor_of(request), Outcome(body["outcome"]), body["reason"], key_of(request))
            )
        )

    @action(methods=["post"], detail=True, permission_classes=[IsRecruiter])
    def reissue(self, request, pk):
        return Response(shapes.interview(interviews.reissue(pk, actor_of(request), key_of(request))))

    @action(methods=["post"], detail=True, permission_classes=[IsRecruiter])
    def cancel(self, request, pk):
        reason = checked(shapes.Reason, request)["reason"]
        return Response(shapes.interview(interviews.cancel(pk, actor_of(request), reason, key_of(request))))


class Applications(ViewSet):
    permission_classes = [IsStaff]

    def list(self, request):
        rows = Application.objects.select_related("candidate", "position").order_by("pk")[:200]
        return Response(
            [
                {
                    "id": a.pk,
                    "candidate": a.candidate.name,
                    "position": a.position.title,
                    "stage": a.stage,
                    "interview": a.interview_id and str(a.interview_id),
                }
                for a in rows
            ]
        )

    @action(methods=["post"], detail=True, permission_classes=[IsRecruiter])
    def invite(self, request, pk):
        try:
            return Response(shapes.interview(interviews.invite(pk, actor_of(request), key_of(request))), status=201)
        except (Application.DoesNotExist, ValueError):
            raise NotFound from None
