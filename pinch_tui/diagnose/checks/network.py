"""Checks of the connection to the service: address, proxy, name, connection, TLS, clock.

One request to the service's root, without a key, tests the proxy, the certificate and the clock; it goes through httpx,
as the client's own requests do. The name and a plain connection are tested first, because a failure there has its own
cure.
"""

from __future__ import annotations

import asyncio
import email.utils
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from pinch_tui.core.hosts import is_loopback
from pinch_tui.diagnose.finding import Finding, fail, ok, since, skip, warn
from pinch_tui.errors import EXIT_LINK, EXIT_USAGE, ConfigError
from pinch_tui.network import trust
from pinch_tui.network.proxy import Proxy, UnusableProxy
from pinch_tui.network.targets import addresses_of
from pinch_tui.network.transport import as_httpx
from pinch_tui.network.way import wants_login

STAGE_S = 6.0
"""Time limit of each check, in seconds."""
CLOCK_WARN_S = 120.0
CLOCK_FAIL_S = 3600.0

_ONLINE = "Check that this machine is online (Wi-Fi, cable, VPN)."
_FIREWALL = "A firewall or a proxy may be blocking it; ask whoever runs the network to allow it."

Resolve = Callable[[str, int], Awaitable[list[str]]]
Connect = Callable[[str, int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Target:
    """The address of a service, and the proxy in front of it (or the reason why the proxy cannot be used)."""

    host: str
    port: int
    is_tls: bool
    proxy: Proxy | UnusableProxy | None = None

    @property
    def where(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.is_tls else 'http'}://{host}:{self.port}/"


def target_of(base_url: str, choose: Callable[[str], Proxy | None]) -> Target:
    """The target of a valid base URL. ``choose`` decides on the proxy."""
    parts = urlsplit(base_url)
    proxy: Proxy | UnusableProxy | None
    try:
        proxy = choose(base_url)
    except UnusableProxy as exc:
        proxy = exc
    is_tls = parts.scheme == "https"
    return Target(parts.hostname or "", parts.port or (443 if is_tls else 80), is_tls, proxy)


async def _open_and_close(host: str, port: int) -> None:
    """Open a connection and close it again. Raises OSError."""
    _, writer = await asyncio.open_connection(host, port)
    writer.close()


@dataclass(slots=True)
class Answer:
    """The outcome of one request to the service's root; ``error`` is None if the service answered."""

    error: Exception | None = None
    tls: str = ""  # the version, once the handshake is complete
    ms: int = 0
    date: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """The network path to one service. ``label``: the service's name; ``option``: the setting that holds its address.

    ``store`` returns the certificates that the client trusts, or raises `ConfigError`.
    """

    target: Target
    label: str = "Pinch"
    option: str = "api.base_url"
    is_default: bool = False
    resolve: Resolve = addresses_of
    connect: Connect = _open_and_close
    store: Callable[[], ssl.SSLContext] = lambda: trust.context(os.environ)
    wall: Callable[[], float] = time.time

    def address(self) -> Finding:
        """The address in use."""
        target = self.target
        details = {"host": target.host, "port": target.port}
        if is_loopback(target.host):
            return ok("address", f"{self.label} on this machine ({target.where}).", **details)
        other = "" if self.is_default else ", which is not the default"
        return ok("address", f"{self.label} at {target.where}{other}.", **details)

    async def check(self) -> AsyncIterator[Finding]:
        """Every stage in order; stages after a failed one are left out."""
        target, proxy = self.target, self.target.proxy
        if isinstance(proxy, UnusableProxy):
            yield fail("proxy", EXIT_LINK, proxy.title, proxy.hint, **{"proxy": proxy.address, "from": proxy.source})
            return
        try:
            self.store()
        except ConfigError as exc:
            yield fail("tls", EXIT_USAGE, exc.title, exc.hint)
            return
        if proxy is not None:
            answer = await self._ask(proxy)
            yield self._judge_proxy(proxy, answer)
            yield skip("dns", "The proxy looks up the name.")
            yield skip("connection", "The proxy makes the connection.")
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
            answer = await self._ask(None)
        yield self._judge_tls(answer)
        if target.is_tls and not answer.date:  # a wrong clock is a common reason for a failed handshake
            answer = await self._ask(proxy, is_checked=False)
        yield self._judge_clock(answer)

    async def check_name(self) -> Finding:
        """The host name can be looked up.

        Many resolvers answer "no such name" on a machine without a network, so the cure names the network first.
        """
        target, start = self.target, time.monotonic()
        try:
            async with asyncio.timeout(STAGE_S):
                addresses = ", ".join((await self.resolve(target.host, target.port))[:3])
        except TimeoutError:
            sentence, cure = f"The name server did not answer when asked for {target.host}.", _ONLINE
        except (OSError, UnicodeError) as exc:
            known = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
            if isinstance(exc, socket.gaierror) and exc.errno not in known:
                sentence, cure = f"The name {target.host} cannot be looked up: no name server can be reached.", _ONLINE
            else:
                hidden, wrong = "the name server here may be blocking the name", f"correct {self.option}"
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
            async with asyncio.timeout(STAGE_S):
                await self.connect(target.host, target.port)
        except (OSError, TimeoutError) as exc:
            match _problem(exc):
                case "refuses connections":
                    cure = "Start the service there." if is_loopback(target.host) else f"Check the port. {_FIREWALL}"
                    sentence = f"{where} refuses connections."
                case "does not answer":
                    sentence, cure = f"{where} does not answer.", _FIREWALL
                case _:
                    sentence, cure = f"There is no route to {where} from here.", _ONLINE
            return fail("connection", EXIT_LINK, sentence, cure, where=where, ms=since(start))
        ms = since(start)
        return ok("connection", f"{where} accepts connections ({ms} ms).", where=where, ms=ms)

    async def _ask(self, via: Proxy | None, *, is_checked: bool = True) -> Answer:
        """Request the service's root. Unless ``is_checked``, any certificate is accepted."""
        verify = self.store() if is_checked else httpx.create_ssl_context(verify=False)
        proxy = None if via is None else as_httpx(via, self.store())
        answer, start = Answer(), time.monotonic()

        async def trace(event: str, info: Mapping[str, Any]) -> None:
            if event.endswith("start_tls.complete"):
                answer.tls = str(info["return_value"].get_extra_info("ssl_object").version())
                answer.ms = since(start)

        try:
            async with (
                asyncio.timeout(STAGE_S),
                httpx.AsyncClient(verify=verify, proxy=proxy, trust_env=False) as client,
                client.stream("GET", self.target.url, extensions={"trace": trace}) as response,
            ):
                answer.date = response.headers.get("date", "")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as exc:
            answer.error = exc
        return answer

    def _judge_proxy(self, via: Proxy, answer: Answer) -> Finding:
        error, named = answer.error, {"proxy": via.address, "from": via.source}
        if not _is_of_proxy(answer):
            return ok("proxy", f"The service is reached through the proxy {via.address} ({via.source}).", **named)
        if isinstance(error, httpx.ProxyError) and wants_login(error):
            what = "wants a user name and a password"
        elif isinstance(error, httpx.ProxyError):
            code = str(error).partition(" ")[0]
            what = f"refused the connection ({code})" if code.isdigit() else "refused the connection"
        elif isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
            what = "refused the connection (no answer)"
        else:
            what = _problem(error)
        cure = f"Correct {via.source}, or add {self.target.host} to NO_PROXY to bypass the proxy."
        return fail("proxy", EXIT_LINK, f"The proxy {via.address} ({via.source}) {what}.", cure, **named)

    def _judge_tls(self, answer: Answer) -> Finding:
        """The connection is encrypted, and the service is at the other end."""
        target = self.target
        if not target.is_tls:
            return ok("tls", "Not needed, because the service runs on this machine.")
        if answer.tls:
            details = {"ms": answer.ms, "detail": answer.tls}
            return ok("tls", f"The certificate is trusted ({answer.tls}, {answer.ms} ms).", **details)
        match next((exc for exc in _causes(answer.error) if isinstance(exc, ssl.SSLError)), answer.error):
            case ssl.SSLCertVerificationError(verify_code=9):  # X509_V_ERR_* of OpenSSL
                sentence = "The service's certificate is not valid yet, according to this machine's clock."
                cure = "Set the clock (`timedatectl set-ntp true` on Linux); see the clock check below."
            case ssl.SSLCertVerificationError(verify_code=10):
                sentence = "The service's certificate has expired, according to this machine's clock."
                cure = "Check this machine's clock first; if it is right, the service has to renew the certificate."
            case ssl.SSLCertVerificationError(verify_code=62 | 64):
                sentence = f"The certificate is not for {target.host}."
                cure = f"Check {self.option}; the login page of a hotel or an office may be answering instead."
            case ssl.SSLCertVerificationError():
                sentence = "The service's certificate is not signed by anyone this machine trusts."
                cure = (
                    "This network's login page may be answering instead (open a browser), or a proxy or a virus "
                    "scanner is intercepting the connection: name its root certificate in SSL_CERT_FILE, or install "
                    "ca-certificates."
                )
            case ssl.SSLError():
                sentence = f"{target.where} does not speak TLS."
                cure = f"Check the port in {self.option}; a login page may be answering instead."
            case error:
                sentence, cure = f"The secure connection failed: {target.where} {_problem(error)}.", _FIREWALL
        return fail("tls", EXIT_LINK, sentence, cure)

    def _judge_clock(self, answer: Answer) -> Finding:
        """This machine's clock agrees with the service's."""
        try:
            theirs = email.utils.parsedate_to_datetime(answer.date).timestamp()
        except (ValueError, TypeError, OverflowError):
            return skip("clock", "The service sent no time to compare with.")
        ahead = self.wall() - theirs
        details = {"ahead_s": round(ahead)}
        if abs(ahead) < CLOCK_WARN_S:
            return ok("clock", "This machine's clock is right.", **details)
        sentence = f"This machine's clock is {span(abs(ahead))} {'ahead' if ahead > 0 else 'behind'}."
        cure = "Set it: `timedatectl set-ntp true` on Linux, the date settings on macOS and Windows."
        if abs(ahead) < CLOCK_FAIL_S:
            return warn("clock", sentence, cure, **details)
        return fail("clock", EXIT_LINK, f"{sentence} Certificates and sessions will fail.", cure, **details)


def _is_of_proxy(answer: Answer) -> bool:
    """True if the request failed at the proxy, before TLS with the service was tried."""
    is_tls = any(isinstance(exc, ssl.SSLError) for exc in _causes(answer.error))
    return answer.error is not None and not answer.tls and not is_tls


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and its causes."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for part in error.exceptions:
                yield from _causes(part)
        error = error.__cause__ or error.__context__


def _problem(error: BaseException | None) -> str:
    """Why a connection failed, as the predicate of a sentence about the other end."""
    causes = list(_causes(error))
    if any(isinstance(exc, TimeoutError | httpx.TimeoutException) for exc in causes):
        return "does not answer"
    if any(isinstance(exc, socket.gaierror) for exc in causes):
        return "has a host name that does not exist"
    # asyncio joins the errors of several addresses into one text.
    if any(isinstance(exc, ConnectionRefusedError) or "refused" in str(exc).lower() for exc in causes):
        return "refuses connections"
    return "drops the connection" if any(isinstance(exc, ConnectionError) for exc in causes) else "cannot be reached"


def span(seconds: float) -> str:
    """A duration in its one or two largest units."""
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{round(seconds / 86_400)} days"
