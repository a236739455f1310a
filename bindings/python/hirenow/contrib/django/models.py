"""No table: only the permissions that make somebody a recruiter, a reviewer or an admin to hirenow."""

from __future__ import annotations

from typing import ClassVar, List, Tuple

from django.contrib.auth.models import Permission

ROLE_PERMISSIONS: List[Tuple[str, str]] = [
    ("recruiter", "Is a recruiter: invites, allows retakes, cancels"),
    ("reviewer", "Is a reviewer: reads what was submitted, and decides"),
    ("admin", "Is an admin: may do both, and set policies, reopen and erase"),
]


class Access(Permission):
    """Carries the permissions "hirenow.recruiter", "hirenow.reviewer" and "hirenow.admin", for users and groups."""

    class Meta:
        proxy = True
        default_permissions: ClassVar[Tuple[str, ...]] = ()
        permissions: ClassVar[List[Tuple[str, str]]] = ROLE_PERMISSIONS
        verbose_name = "access"
        verbose_name_plural = "access"
