"""Checks for whoever writes a store."""

from __future__ import annotations

from typing import Callable, Union

from . import _hirenow
from ._adapters import NativeStore, Store
from ._store_model import CheckFailure, CheckReport


def check_store(
    make_store: Callable[[], Union[Store, NativeStore]],
    *,
    seed: int = 1,
    histories: int = 50,
    steps: int = 60,
    threads: int = 4,
) -> CheckReport:
    """Checks that a store keeps the promises of `hirenow.Store`: the same checks that the library's own stores pass.

    `make_store` must return a fresh, empty store each time it is called. Each check is one promise and is named by a
    sentence; then follow races of several threads, and random histories whose every answer is compared with the memory
    store's.

        report = check_store(lambda: MyStore(fresh_database()))
        assert report.passed, report
    """
    return _hirenow.check_store(make_store, seed, histories, steps, threads)


__all__ = ["check_store", "CheckFailure", "CheckReport"]
