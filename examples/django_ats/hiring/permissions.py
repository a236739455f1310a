"""DRF's permissions, over hirenow's roles. The engine checks again what each use case needs; these answer earlier."""

from django.core.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission

from hirenow import Role
from hirenow.contrib.django import actor_of


class HasRole(BasePermission):
    """Lets in whoever has one of the roles."""

    roles = frozenset()
    message = "none of your roles allows this"

    def has_permission(self, request, view):
        try:
            return not self.roles.isdisjoint(actor_of(request).roles)
        except PermissionDenied:
            return False


class IsStaff(HasRole):
    roles = frozenset(Role)


class IsRecruiter(HasRole):
    roles = frozenset((Role.RECRUITER, Role.ADMIN))


class IsReviewer(HasRole):
    roles = frozenset((Role.REVIEWER, Role.ADMIN))
