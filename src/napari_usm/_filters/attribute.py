"""Attributes that are computed once, without a lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

T = TypeVar("T")


class cached_attribute(Generic[T]):
    """Like `functools.cached_property`, which holds a lock until Python 3.12.

    That lock is the class's: while one instance computes, all others wait, and a
    process that is forked meanwhile never gets it. Here two threads may both compute
    the value.
    """

    def __init__(self, function: Callable[[Any], T]) -> None:
        self._function = function
        self.__doc__ = function.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> T | Self:
        if instance is None:
            return self
        # The attribute of the instance is taken instead from now on.
        value: T = vars(instance).setdefault(self._name, self._function(instance))
        return value
