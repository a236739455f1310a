"""hirenow's own words, which pages show through `{% translate %}`: here makemessages finds them."""

from django.utils.translation import gettext_noop as _

STATES = (
    _("scheduled"),
    _("in_progress"),
    _("submitted"),
    _("passed"),
    _("failed"),
    _("on_hold"),
    _("expired"),
    _("cancelled"),
    _("voided"),
    _("archived"),
)
OUTCOMES = (_("no_show"), _("incomplete"), _("withdrawn"), _("void"))
EVENTS = (
    _("schedule"),
    _("start"),
    _("resume"),
    _("submit"),
    _("expire"),
    _("reissue"),
    _("cancel"),
    _("withdraw"),
    _("request_link"),
    _("pass"),
    _("fail"),
    _("hold"),
    _("reopen"),
    _("retake"),
    _("accommodate"),
)
MESSAGES = (
    _("invitation"),
    _("retake_invitation"),
    _("reissued_link"),
    _("reminder"),
    _("decision_passed"),
    _("decision_failed"),
    _("decision_on_hold"),
    _("queued"),
    _("leased"),
    _("accepted"),
    _("dead"),
)
