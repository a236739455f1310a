"""The applicant's part of the API.

The link carries its token behind a `#`, so no server and no log sees it. The page posts it once, in the Authorization
header, and goes on with a cookie that scripts cannot read. The cookie holds the secrets (token and session key); the
page holds the number of its sitting (the fence): a window that another one has replaced is told so, though both share
the cookie.
"""

import json
import secrets

from django.conf import settings
from django.core import signing
from django.utils.translation import get_language
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

import hirenow
from hirenow import Session
from hirenow.contrib.django import run_in_transaction

from . import shapes
from .models import title_of

COOKIE, SALT = "sitting", "hiring.sitting"
COOKIE_PATH = "/api/sitting/"
LONGEST = 14 * 24 * 3600


class LinkAuthentication(BaseAuthentication):
    """`Authorization: Interview <token>`, or the cookie. What the token is worth, the engine says."""

    def authenticate(self, request):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        held = {}
        try:
            held = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=LONGEST)
        except signing.BadSignature:
            pass
        if scheme.lower() == "interview" and token:
            # What the cookie holds of another link is of no use to this one.
            return None, held if held.get("token") == token.strip() else {"token": token.strip()}
        if not held:
            return None
        # A cookie comes by itself, whoever has the browser send it.
        SessionAuthentication().enforce_csrf(request)
        return None, held

    def authenticate_header(self, request):
        return "Interview"


class HoldsALink(BasePermission):
    """There is a token. What it is worth is the engine's to say."""

    def has_permission(self, request, view):
        if not request.auth:
            raise NotAuthenticated
        return True


class SittingView(APIView):
    authentication_classes = [LinkAuthentication]
    permission_classes = [HoldsALink]

    def finalize_response(self, request, response, *args, **kwargs):
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store"
        return response

    def session(self, fence):
        held = self.request.auth
        if "key" not in held:
            raise hirenow.StaleSessionError("no sitting was begun here")
        return Session(held["tenant"], held["interview"], fence, held["key"])


def with_cookie(response, **held):
    response.set_cookie(
        COOKIE,
        signing.dumps(held, salt=SALT),
        max_age=LONGEST,
        path=COOKIE_PATH,
        httponly=True,
        samesite="Strict",
        secure=settings.SECURE_COOKIES,
    )
    return response


class Look(SittingView):
    """What stands behind the link. Changes nothing, so a mail scanner's visit is harmless."""

    def post(self, request):
        token = request.auth["token"]
        seen = run_in_transaction(lambda e: e.inspect(token))
        i = seen.interview
        answer = Response(
            {
                "verdict": seen.verdict,
                "name": seen.applicant_name,
                "title": title_of(i.track, get_language()) if i else "",
                "state": i.state if i else None,
                "minutes": int(i.time_limit.total_seconds() // 60) if i else None,
                "start_by": shapes.moment(i.start_by) if i else None,
                "left": int(seen.left.total_seconds()) if seen.left is not None else None,
            }
        )
        return with_cookie(answer, **{**request.auth, "token": token}) if i else answer


class Begin(SittingView):
    """Starts, or goes on in this window; the one before is fenced off."""

    def post(self, request):
        token, key = request.auth["token"], secrets.token_urlsafe(24)

        def work(e):
            try:
                return e.start(token, key)
            except hirenow.AlreadyStartedError:
                return e.resume(token, key)

        sitting = run_in_transaction(work)
        s = sitting.session
        answer = Response(
            {
                "fence": s.fence,
                "left": int(sitting.left.total_seconds()),
                "deadline": shapes.moment(sitting.interview.deadline),
                "answers": json.loads(sitting.progress.data) if sitting.progress else {},
            }
        )
        return with_cookie(answer, token=token, key=key, tenant=s.tenant, interview=str(s.interview))


class Save(SittingView):
    """Saves the answers as they are typed."""

    def put(self, request):
        body = shapes.Answers(data=request.data)
        body.is_valid(raise_exception=True)
        session = self.session(body.validated_data["fence"])
        text = json.dumps(body.validated_data.get("answers", {}))
        return Response({"saved_at": shapes.moment(run_in_transaction(lambda e: e.checkpoint(session, text)))})


class Submit(SittingView):
    """Hands the answers in."""

    def post(self, request):
        body = shapes.Answers(data=request.data)
        body.is_valid(raise_exception=True)
        session, answers = self.session(body.validated_data["fence"]), body.validated_data.get("answers")
        progress = None if answers is None else json.dumps(answers)
        done = run_in_transaction(lambda e: e.submit(session, progress=progress))
        return Response({"state": done.interview.state})


class AskForLink(SittingView):
    """The current link, to the address on file: the same answer whether or not anything is sent."""

    throttle_classes = [ScopedRateThrottle]
    throttle_scope = "link"

    def post(self, request):
        try:
            run_in_transaction(lambda e: e.request_link(request.auth["token"]))
        except hirenow.Error as error:
            if isinstance(error, (hirenow.StoreError, hirenow.RetryTransactionError)):
                raise
        return Response({}, status=202)
