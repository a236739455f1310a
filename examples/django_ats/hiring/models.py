"""What is this application's own. Interviews are hirenow's: a row here only remembers which one."""

import uuid

from django.db import models

import hirenow


class Position(models.Model):
    slug = models.SlugField(primary_key=True)
    title = models.CharField(max_length=100)
    title_de = models.CharField("German title", max_length=100, blank=True)

    def __str__(self):
        return self.title

    def title_in(self, language):
        """The title in that language, or else the English one."""
        return self.title_de if self.title_de and language.partition("-")[0].lower() == "de" else self.title


class Candidate(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    email = models.EmailField()
    locale = models.CharField(max_length=20, default="en")
    time_zone = models.CharField(max_length=50, default="UTC")

    def __str__(self):
        return self.name

    def as_applicant(self):
        """The same person to hirenow."""
        return hirenow.Applicant(str(self.id), self.email, self.name, self.locale, self.time_zone)


class Application(models.Model):
    class Stage(models.TextChoices):
        NEW = "new"
        INTERVIEW = "interview"
        RETAKE = "retake"
        OFFER = "offer"
        REJECTED = "rejected"

    candidate = models.ForeignKey(Candidate, models.PROTECT, related_name="applications")
    position = models.ForeignKey(Position, models.PROTECT, related_name="applications")
    stage = models.CharField(max_length=20, choices=Stage.choices, default=Stage.NEW)
    interview_id = models.UUIDField(null=True, unique=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["candidate", "position"], name="one_application_for_a_position")]

    def __str__(self):
        return f"{self.candidate} for {self.position}"

    @property
    def track(self):
        """What is attempted, as hirenow calls it."""
        return f"{self.position_id}/technical"


def title_of(track, language):
    """What pages call a track."""
    slug = track.partition("/")[0]
    position = Position.objects.filter(pk=slug).first()
    return position.title_in(language) if position else slug


def track_title(tenant, track, locale):
    """What mails call a track: the dispatcher asks."""
    return title_of(track, locale)
