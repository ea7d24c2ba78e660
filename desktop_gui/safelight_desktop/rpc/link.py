"""The connection to one daemon: made, watched, made again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from safelight.client.remote import configured_remote
from safelight.client.restoration import Installed, RestorationClient
from safelight.errors import SafelightError, Unavailable
from safelight_desktop.rpc.background import Background

T = TypeVar("T")
RETRY_MS = (500, 2_000, 5_000, 15_000)  # then every 15 s


class LinkState(Enum):
    """Where the connection stands."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    LOST = "lost"


@dataclass(frozen=True)
class Greeting:
    """What a new connection says first."""

    client: RestorationClient
    pipelines: list[Installed]
    default_pipeline: str
    capabilities: frozenset[str]
    elsewhere: bool
    """The daemon runs on another machine."""


class DaemonLink(QObject):
    """One daemon, on this machine or elsewhere. Lives on the thread of its event loop."""

    state_changed = Signal(LinkState)
    greeted = Signal(Greeting)
    """Connected, also after it was lost."""
    failed = Signal(SafelightError)
    """It cannot be reached; tried again by itself."""

    def __init__(
        self,
        background: Background,
        parent: QObject | None = None,
        *,
        open_client: Callable[[], RestorationClient] = RestorationClient.chosen,
    ) -> None:
        """`open_client` connects, and starts a daemon where there is none; it is called on a worker thread."""
        super().__init__(parent)
        self._background = background
        self._open_client = open_client
        self.state = LinkState.LOST
        self.client: RestorationClient | None = None
        self.capabilities: frozenset[str] = frozenset()
        self.elsewhere = False
        """The daemon runs on another machine: its files are out of reach."""
        self._attempt = 0
        self._retry = QTimer(self)
        self._retry.setSingleShot(True)
        self._retry.timeout.connect(self.connect_now)

    def connect_now(self) -> None:
        """Begins to connect, unless it does already."""
        if self.state is LinkState.CONNECTING:
            return
        self._set(LinkState.CONNECTING)
        self._background.run(self._greet, self._greeted, self._refused)

    def reconnect(self) -> None:
        """Leaves this daemon and looks for the one to use anew."""
        self._drop()
        self._set(LinkState.LOST)
        self.connect_now()

    def call(
        self,
        work: Callable[[RestorationClient], T],
        done: Callable[[T], None],
        failed: Callable[[SafelightError], None] | None = None,
    ) -> None:
        """Runs `work` with the client on a worker thread; a lost connection is noticed and made again."""
        client = self.client
        if client is None:
            self.connect_now()
            self._told(Unavailable("there is no connection to the daemon yet", "NOT_CONNECTED"), failed)
            return
        self._background.run(lambda: work(client), done, lambda error: self._told(error, failed))

    def notice(self, error: SafelightError) -> None:
        """Told by whoever used the client: an error may mean that the daemon is gone."""
        if isinstance(error, Unavailable) and self.client is not None:
            self._drop()
            self._set(LinkState.LOST)
            self._retry.start(RETRY_MS[0])

    def close(self) -> None:
        self._retry.stop()
        self._drop()

    def _greet(self) -> Greeting:
        client = self._open_client()
        try:
            return Greeting(
                client,
                client.pipelines(),
                client.default_pipeline(),
                client.capabilities(),
                configured_remote() is not None,
            )
        except BaseException:
            client.close()
            raise

    def _greeted(self, greeting: Greeting) -> None:
        self._attempt = 0
        self.client, self.capabilities = greeting.client, greeting.capabilities
        self.elsewhere = greeting.elsewhere
        self._set(LinkState.CONNECTED)
        self.greeted.emit(greeting)

    def _refused(self, error: SafelightError) -> None:
        self._set(LinkState.LOST)
        self._retry.start(RETRY_MS[min(self._attempt, len(RETRY_MS) - 1)])
        self._attempt += 1
        self.failed.emit(error)

    def _told(self, error: SafelightError, failed: Callable[[SafelightError], None] | None) -> None:
        self.notice(error)
        if failed is not None:
            failed(error)

    def _drop(self) -> None:
        if self.client is not None:
            with contextlib.suppress(SafelightError):
                self.client.close()
        self.client = None

    def _set(self, state: LinkState) -> None:
        if state is not self.state:
            self.state = state
            self.state_changed.emit(state)
