"""Checks of the way to the service: address, proxy, name, connection, TLS, clock.

One request to the service's root, without a key, tells about the proxy, the certificate and the clock; it goes through
httpx, as the client's own requests do. The name and a plain connection are tried before it, because a failure there
has its own cure.
"""

from __future__ import annotations

import asyncio
import email.utils
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import httpx

from pinch_tui.core.hosts import is_loopback
from pinch_tui.diagnose.finding import Finding, fail, ok, since, skip, warn
from pinch_tui.errors import EXIT_LINK, EXIT_USAGE, ConfigError
from pinch_tui.network import trust
from pinch_tui.network.names import addresses_of
from pinch_tui.network.proxy import Proxy, UnusableProxy
from pinch_tui.network.transport import as_httpx
from pinch_tui.network.way import wants_login

STAGE_S = 6.0
CLOCK_WARN_S = 120.0
CLOCK_FAIL_S = 3600.0

_ONLINE = "Check that this machine is online (Wi-Fi, cable, VPN)."
_FIREWALL = "A firewall or a proxy may be in the way; ask whoever runs the network to allow it."

Resolve = Callable[[str, int], Awaitable[list[str]]]
Connect = Callable[[str, int], Awaitable[None]]


# ---- where --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Target:
    """Where the service is, and what stands in front of it: ``via`` a proxy, or one that cannot be used."""

    host: str
    port: int
    is_tls: bool
    is_loopback: bool
    via: Proxy | None = None
    unusable: UnusableProxy | None = None

    @property
    def where(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.is_tls else 'http'}://{host}:{self.port}/"


def target_of(base_url: str, choose: Callable[[str], Proxy | None]) -> Target | None:
    """What a base URL means; None when it is not one that the key may go to. ``choose`` decides on the proxy."""
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or parts.username or parts.query or parts.fragment:
        return None
    is_local = is_loopback(host)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        return None
    target = Target(host, port or (443 if parts.scheme == "https" else 80), parts.scheme == "https", is_local)
    try:
        return replace(target, via=choose(base_url))
    except UnusableProxy as exc:
        return replace(target, unusable=exc)


@dataclass(frozen=True, slots=True)
class Place:
    """What a service's address is called: ``label`` is the service for people, ``option`` the dotted key that holds
    its address, ``usual`` its default address."""

    label: str
    option: str
    usual: str


def check_address(way: Way | None, place: Place) -> Finding:
    """Where sessions are asked for, and that the key is safe on the way there; ``way`` None: it may not go there."""
    if way is None:
        return fail(
            "address",
            EXIT_USAGE,
            f"The base URL of {place.label} must be https, or http to this machine.",
            f"Set {place.option} to something like {place.usual}.",
        )
    target = way.target
    details = {"host": target.host, "port": target.port}
    if target.is_loopback:
        return ok("address", f"{place.label} on this machine ({target.where}).", **details)
    other = "" if way.is_default else ", which is not the default"
    return ok("address", f"{place.label} at {target.where}{other}.", **details)


def own_store() -> ssl.SSLContext:
    """What the client trusts."""
    return trust.context(os.environ)


# ---- the way ------------------------------------------------------------------------------------------------------


async def connect_here(host: str, port: int) -> None:
    """Open a connection and close it again. Raises OSError."""
    _, writer = await asyncio.open_connection(host, port)
    writer.close()


@dataclass(slots=True)
class Answer:
    """What one request to the service's root gave. ``error`` None: an answer came."""

    error: Exception | None = None
    tls: str = ""  # the version, once the handshake is done
    ms: int = 0
    date: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """The way to one service. ``store`` gives the certificates that the client trusts, or raises `ConfigError`."""

    target: Target
    is_default: bool = False
    resolve: Resolve = addresses_of
    connect: Connect = connect_here
    store: Callable[[], ssl.SSLContext] = own_store
    wall: Callable[[], float] = time.time
    within_s: float = STAGE_S

    async def check(self) -> AsyncIterator[Finding]:
        """Every stage in order; a stage that cannot be reached is skipped."""
        target = self.target
        if target.unusable is not None:
            named = {"proxy": target.unusable.address, "from": target.unusable.source}
            yield fail("proxy", EXIT_LINK, target.unusable.title, target.unusable.hint, **named)
            return
        try:
            self.store()
        except ConfigError as exc:
            yield fail("tls", EXIT_USAGE, exc.title, exc.hint)
            return
        answer = await self._ask() if target.via is not None else None
        if answer is not None:
            yield self._judge_proxy(answer)
            yield skip("dns", "The proxy looks names up.")
            yield skip("connection", "The proxy connects.")
            if _is_of_proxy(answer):
                return
        else:
            yield ok("proxy", "No proxy is set.")
            name = await self.check_name()
            yield name
            if name.exit_code:
                yield skip("connection", "There is no address to connect to.")
                return
            connection = await self.check_connection()
            yield connection
            if connection.exit_code:
                return
            answer = await self._ask()
        yield self._judge_tls(answer)
        # The clock is compared even when TLS fails, because a wrong one is a common reason.
        yield self._judge_clock(answer if answer.date or not target.is_tls else await self._ask(is_checked=False))

    async def check_name(self) -> Finding:
        """The service's name has an address.

        Many resolvers answer "no such name" on a machine without a network, so the cure names the network first.
        """
        target, start = self.target, time.monotonic()
        try:
            async with asyncio.timeout(self.within_s):
                addresses = ", ".join((await self.resolve(target.host, target.port))[:3])
        except TimeoutError:
            sentence, cure = f"The name server does not answer for {target.host}.", _ONLINE
        except (OSError, UnicodeError) as exc:
            known = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
            if isinstance(exc, socket.gaierror) and exc.errno not in known:
                sentence, cure = f"The name {target.host} cannot be looked up: no name server can be reached.", _ONLINE
            else:
                hidden, wrong = "the name server here hides it", "correct api.base_url or PINCH_BASE_URL"
                sentence = f"The name {target.host} was not found."
                cure = f"{_ONLINE} If it is, {hidden if self.is_default else wrong}."
        else:
            ms = since(start)
            return ok("dns", f"{target.host} is {addresses} ({ms} ms).", host=target.host, ms=ms, addresses=addresses)
        return fail("dns", EXIT_LINK, sentence, cure, host=target.host, ms=since(start))

    async def check_connection(self) -> Finding:
        """A connection can be opened."""
        target, start = self.target, time.monotonic()
        where = target.where
        try:
            async with asyncio.timeout(self.within_s):
                await self.connect(target.host, target.port)
        except (OSError, TimeoutError) as exc:
            match _problem(exc):
                case "refuses connections":
                    cure = "Start the service there." if target.is_loopback else f"Check the port. {_FIREWALL}"
                    sentence = f"{where} refuses connections."
                case "does not answer":
                    sentence, cure = f"{where} does not answer.", _FIREWALL
                case _:
                    sentence, cure = f"There is no route to {where} from here.", _ONLINE
            return fail("connection", EXIT_LINK, sentence, cure, where=where, ms=since(start))
        ms = since(start)
        return ok("connection", f"{where} accepts connections ({ms} ms).", where=where, ms=ms)

    async def _ask(self, *, is_checked: bool = True) -> Answer:
        """One request for the service's root. Unless ``is_checked``, any certificate will do."""
        verify = self.store() if is_checked else httpx.create_ssl_context(verify=False)
        via = self.target.via
        proxy = None if via is None else as_httpx(via, self.store())
        answer, start = Answer(), time.monotonic()

        async def trace(event: str, info: Mapping[str, Any]) -> None:
            if event.endswith("start_tls.complete"):
                answer.tls = str(info["return_value"].get_extra_info("ssl_object").version())
                answer.ms = since(start)

        try:
            async with (
                asyncio.timeout(self.within_s),
                httpx.AsyncClient(verify=verify, proxy=proxy, trust_env=False) as client,
                client.stream("GET", self.target.url, extensions={"trace": trace}) as response,
            ):
                answer.date = response.headers.get("date", "")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as exc:
            answer.error = exc
        return answer

    def _proxy_failed(self, via: Proxy, what: str) -> Finding:
        cure = f"Correct {via.source}, or add {self.target.host} to NO_PROXY to go past it."
        named = {"proxy": via.address, "from": via.source}
        return fail("proxy", EXIT_LINK, f"The proxy {via.address} ({via.source}) {what}.", cure, **named)

    def _judge_proxy(self, answer: Answer) -> Finding:
        via, error = self.target.via, answer.error
        assert via is not None
        if not _is_of_proxy(answer) or error is None:
            sentence = f"The service is reached through the proxy {via.address} ({via.source})."
            return ok("proxy", sentence, proxy=via.address, **{"from": via.source})
        code = str(error).partition(" ")[0]
        if isinstance(error, httpx.ProxyError) and wants_login(error):
            what = "wants a user name and a password"
        elif isinstance(error, httpx.ProxyError):
            what = f"does not let us through ({code})" if code.isdigit() else "does not let us through"
        elif isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
            what = "does not let us through (no answer)"
        else:
            what = _problem(error)
        return self._proxy_failed(via, what)

    def _judge_tls(self, answer: Answer) -> Finding:
        """The connection is secret, and the service is at the other end."""
        target = self.target
        if not target.is_tls:
            return ok("tls", "Plain, because the service is on this machine.")
        if answer.tls:
            details = {"ms": answer.ms, "detail": answer.tls}
            return ok("tls", f"The certificate is trusted ({answer.tls}, {answer.ms} ms).", **details)
        match next((exc for exc in _causes(answer.error) if isinstance(exc, ssl.SSLError)), answer.error):
            case ssl.SSLCertVerificationError(verify_code=9):  # X509_V_ERR_* of OpenSSL
                sentence = "The service's certificate is not valid yet, by this machine's clock."
                cure = "Set the clock right (`timedatectl set-ntp true` on Linux); see the check of the clock."
            case ssl.SSLCertVerificationError(verify_code=10):
                sentence = "The service's certificate has expired, by this machine's clock."
                cure = "Check this machine's clock first; if it is right, the service has to renew it."
            case ssl.SSLCertVerificationError(verify_code=62 | 64):
                sentence = f"The certificate there is not for {target.host}."
                cure = "Check api.base_url; a hotel's or office's login page may be answering instead."
            case ssl.SSLCertVerificationError():
                sentence = "The service's certificate is not signed by anyone this machine trusts."
                cure = (
                    "A login page of this network may answer in its place (open a browser), or a proxy or a virus "
                    "scanner reads along: name its root certificate in SSL_CERT_FILE, or install ca-certificates."
                )
            case ssl.SSLError():
                sentence = f"{target.where} does not speak TLS."
                cure = "Check the port in api.base_url; a login page may be answering instead."
            case error:
                sentence, cure = f"The secure connection failed: {target.where} {_problem(error)}.", _FIREWALL
        return fail("tls", EXIT_LINK, sentence, cure)

    def _judge_clock(self, answer: Answer) -> Finding:
        """This machine's clock and the service's agree."""
        try:
            theirs = email.utils.parsedate_to_datetime(answer.date).timestamp()
        except (ValueError, TypeError, OverflowError):
            return skip("clock", "The service gave no time to compare with.")
        ahead = self.wall() - theirs
        details = {"ahead_s": round(ahead)}
        if abs(ahead) < CLOCK_WARN_S:
            return ok("clock", "This machine's clock is right.", **details)
        sentence = f"This machine's clock is {span(abs(ahead))} {'ahead' if ahead > 0 else 'behind'}."
        cure = "Set it right: `timedatectl set-ntp true` on Linux, the date settings on macOS and Windows."
        if abs(ahead) < CLOCK_FAIL_S:
            return warn("clock", sentence, cure, **details)
        return fail("clock", EXIT_LINK, f"{sentence} Certificates and sessions will fail.", cure, **details)


def _is_of_proxy(answer: Answer) -> bool:
    """Whether the request failed on this side of the tunnel: no TLS with the service was tried."""
    is_tls = any(isinstance(exc, ssl.SSLError) for exc in _causes(answer.error))
    return answer.error is not None and not answer.tls and not is_tls


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and those behind it."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for part in error.exceptions:
                yield from _causes(part)
        error = error.__cause__ or error.__context__


def _problem(error: BaseException | None) -> str:
    """Why a connection failed, as the end of a sentence that begins with its other end."""
    causes = list(_causes(error))
    if any(isinstance(exc, TimeoutError | httpx.TimeoutException) for exc in causes):
        return "does not answer"
    if any(isinstance(exc, socket.gaierror) for exc in causes):
        return "has a name that does not exist"
    # asyncio joins the errors of several addresses into one text.
    if any(isinstance(exc, ConnectionRefusedError) or "refused" in str(exc).lower() for exc in causes):
        return "refuses connections"
    return "breaks the connection" if any(isinstance(exc, ConnectionError) for exc in causes) else "cannot be reached"


def span(seconds: float) -> str:
    """A length of time in the one or two units that matter."""
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{round(seconds / 86_400)} days"
