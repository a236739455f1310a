"""Frozen records: what the engine takes and answers.

A record is a class of named fields that never changes. It is like a frozen dataclass, but made without importing
`dataclasses`, and the extension module fills its slots directly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, ClassVar, Dict, Iterator, Mapping, Tuple, Type, TypeVar
from uuid import UUID

if TYPE_CHECKING:
    from typing_extensions import Self, dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Any:
        return lambda decorated: decorated


_T = TypeVar("_T", bound="Record")


class Record:
    """Base of all records: `repr`, equality, hash, copies with changes, pickling."""

    __slots__ = ()
    __match_args__: ClassVar[Tuple[str, ...]] = ()
    _secret: ClassVar[Tuple[str, ...]] = ()  # fields that repr() does not show
    _made_by: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}  # fields that are taken in more forms than one

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be assigned")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name} cannot be deleted")

    def __repr__(self) -> str:
        def shown(name: str) -> str:
            value = getattr(self, name)
            return "<hidden>" if value and name in self._secret else repr(value)

        return f"{type(self).__name__}({', '.join(f'{name}={shown(name)}' for name in self.__match_args__)})"

    def _values(self) -> Iterator[object]:
        return (getattr(self, name) for name in self.__match_args__)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other) or not isinstance(other, Record):
            return NotImplemented
        return all(mine == others for mine, others in zip(self._values(), other._values()))

    def __hash__(self) -> int:
        return hash((type(self).__name__, *self._values()))

    def __reduce__(self) -> Tuple[Any, ...]:
        return _restored, (type(self), {name: getattr(self, name) for name in self.__match_args__})

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return type(self)(**{**{name: getattr(self, name) for name in self.__match_args__}, **changes})

    __replace__ = replace  # for copy.replace, from Python 3.13 on


def _restored(cls: Any, values: Dict[str, Any]) -> Any:
    return cls(**values)


# What is given in another form of the same is taken to the one form that the engine answers with, so that equal records
# are equal and every record can be hashed. What has a wrong type is left for the engine to refuse.


def _tuple(value: Any) -> Any:
    return value if value is None or isinstance(value, (tuple, str, bytes)) else tuple(value)


def _bytes(value: Any) -> Any:
    return bytes(value) if isinstance(value, (bytearray, memoryview)) else value


def _uuid(value: Any) -> Any:
    try:
        return UUID(value) if isinstance(value, str) else value
    except ValueError:
        return value


_FORMS = (("Tuple[", _tuple), ("bytes", _bytes), ("UUID", _uuid))


def _form_of(annotation: str) -> Any:
    inner = annotation[len("Optional[") : -1] if annotation.startswith("Optional[") else annotation
    for kind, taken in _FORMS:
        if inner.startswith(kind):
            return taken
    return None


@dataclass_transform(frozen_default=True, eq_default=True)
def record(cls: Type[_T]) -> Type[_T]:
    """Makes a frozen record of a class whose annotations are its fields; a value behind one is its default."""
    names = tuple(name for name in cls.__annotations__ if not name.startswith("_"))
    defaults = {name: cls.__dict__[name] for name in names if name in cls.__dict__}
    namespace = {k: v for k, v in cls.__dict__.items() if k not in names and k not in ("__dict__", "__weakref__")}
    namespace["__slots__"] = names
    namespace["__match_args__"] = names
    made: Any = type(cls.__name__, cls.__bases__, namespace)
    # The signature is a real one, for help() and for type checkers; defaults are bound as the function's own.
    scope: Dict[str, Any] = {"put": object.__setattr__, **{f"default_{name}": defaults[name] for name in defaults}}
    parameters = ", ".join(name + (f"=default_{name}" if name in defaults else "") for name in names)
    forms = {name: made._made_by.get(name) or _form_of(cls.__annotations__[name]) for name in names}
    scope.update({f"form_of_{name}": form for name, form in forms.items() if form})
    values = {name: f"form_of_{name}({name})" if form else name for name, form in forms.items()}
    body = "\n ".join(f"put(self, {name!r}, {values[name]})" for name in names)
    exec(f"def __init__(self, {parameters}):\n {body}", scope)
    made.__init__ = scope["__init__"]
    made.__init__.__qualname__ = f"{cls.__name__}.__init__"
    made.__init__.__module__ = cls.__module__
    return made  # type: ignore[no-any-return]
