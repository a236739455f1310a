"""Who asks: hirenow's actor, made of Django's user."""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, Iterable, Mapping

from django.core.exceptions import PermissionDenied

from hirenow import Actor, Role

from ._conf import conf


def actor_of(who: Any) -> Actor:
    """The actor for a request, or for a user: id, tenant, and the roles that the user's permissions make.

    Raises `PermissionDenied` for somebody who is not logged in or not active. Somebody without any role is an actor all
    the same, whom the engine refuses.
    """
    user = getattr(who, "user", who)
    if not user.is_authenticated or not user.is_active:
        raise PermissionDenied("not logged in")
    return Actor(str(user.pk), tenant_of(user), roles_of(user))


def tenant_of(user: Any) -> str:
    """The tenant that a user belongs to: what HIRENOW["TENANT_OF"] says, or the one of HIRENOW["TENANT"]."""
    told_by = conf.callable("TENANT_OF")
    return str(told_by(user) if told_by else conf["TENANT"])


def roles_of(user: Any) -> FrozenSet[Role]:
    """The roles that a user has: what HIRENOW["ROLES_OF"] says, or those whose permission the user has."""
    told_by = conf.callable("ROLES_OF")
    if told_by:
        given: Iterable[Any] = told_by(user)
        return frozenset(Role(role) for role in given)
    return frozenset(role for role, permission in permission_of(conf["ROLES"]).items() if user.has_perm(permission))


def permission_of(roles: Mapping[Any, str]) -> Dict[Role, str]:
    """Which permission makes somebody what."""
    own = {Role(role): permission for role, permission in roles.items()}
    return {role: own.get(role, f"hirenow.{role}") for role in Role}


__all__ = ["actor_of", "roles_of", "tenant_of"]
