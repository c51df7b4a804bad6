"""Checks of the way to the service: address, proxy, name, connection, TLS, clock. Pure."""

from __future__ import annotations

from pinch_tui.diagnose.facts import DateFacts, NetProblem, StageFacts, Target
from pinch_tui.diagnose.finding import Finding, fail, ok, skip, warn
from pinch_tui.errors import EXIT_LINK, EXIT_USAGE

CLOCK_WARN_S = 120.0
CLOCK_FAIL_S = 3600.0

_ONLINE = "Check that this machine is online (Wi-Fi, cable, VPN)."
_ADDRESS = "correct api.base_url or PINCH_BASE_URL"
_FIREWALL = "A firewall or a proxy may be in the way; ask whoever runs the network to allow it."


def check_address(target: Target | None, base_url_is_default: bool) -> Finding:
    """Where sessions are asked for, and that the key is safe on the way there."""
    if target is None:
        return fail(
            "address",
            EXIT_USAGE,
            "The service's base URL must be https, or http to this machine.",
            "Set api.base_url (or PINCH_BASE_URL) to something like https://ws.startpinch.com.",
        )
    where = f"{target.host}:{target.port}"
    if target.is_loopback:
        return ok("address", f"A service on this machine ({where}).", host=target.host, port=target.port)
    extra = "" if base_url_is_default else ", which is not the default"
    return ok("address", f"The service at {where}{extra}.", host=target.host, port=target.port)


def check_proxy(target: Target, facts: StageFacts | None) -> Finding:
    """The proxy that the environment names, if any: usable and reachable. ``facts``: the connection to it."""
    if not target.proxy:
        return ok("proxy", "No proxy is set.")
    details = {"proxy": target.proxy, "from": target.proxy_from}
    by = f"the proxy {target.proxy} ({target.proxy_from})"
    if not is_usable(target):
        what = (
            "is a SOCKS proxy, which is not supported" if target.proxy_kind.startswith("socks") else "is no HTTP proxy"
        )
        return fail(
            "proxy",
            EXIT_LINK,
            f"{by[0].upper()}{by[1:]} {what}.",
            f"Unset {target.proxy_from}, name an http:// proxy, or add {target.host} to NO_PROXY.",
            **details,
        )
    if facts is None or facts.problem is None:
        return ok("proxy", f"The service is reached through {by}.", **details)
    why = {
        NetProblem.REFUSED: "refuses connections",
        NetProblem.TIMEOUT: "does not answer",
        NetProblem.NO_SUCH_NAME: "has a name that does not exist",
        NetProblem.PROXY_AUTH: "wants a user name and a password",
        NetProblem.PROXY_REFUSED: f"does not let us through to {target.host} ({facts.detail})",
    }.get(facts.problem, f"cannot be used ({facts.problem.value})")
    return fail(
        "proxy",
        EXIT_LINK,
        f"{by[0].upper()}{by[1:]} {why}.",
        f"Correct {target.proxy_from}, or add {target.host} to NO_PROXY to go past it.",
        **details,
    )


def is_usable(target: Target) -> bool:
    """Whether the proxy is of a kind that the client can go through; True without one."""
    return target.proxy_kind in ("", "http", "https")


def check_name(target: Target, facts: StageFacts, base_url_is_default: bool = False) -> Finding:
    """The service's name has an address.

    A machine without a network is told "no such name" by many resolvers, so that an address which is right is not
    blamed, and any other not alone.
    """
    details = {"host": target.host, "ms": facts.ms, "addresses": facts.detail}
    match facts.problem:
        case None:
            return ok("dns", f"{target.host} is {facts.detail} ({facts.ms} ms).", **details)
        case NetProblem.NO_SUCH_NAME:
            sentence = f"The name {target.host} was not found."
            cure = f"{_ONLINE} If it is, {'the name server here hides it' if base_url_is_default else _ADDRESS}."
        case NetProblem.TIMEOUT:
            sentence, cure = f"The name server does not answer for {target.host}.", _ONLINE
        case _:
            sentence, cure = f"The name {target.host} cannot be looked up: no name server can be reached.", _ONLINE
    return fail("dns", EXIT_LINK, sentence, cure, **details)


def check_connection(target: Target, facts: StageFacts) -> Finding:
    """A connection can be opened."""
    where = f"{target.host}:{target.port}"
    details = {"where": where, "ms": facts.ms}
    match facts.problem:
        case None:
            return ok("connection", f"{where} takes connections ({facts.ms} ms).", **details)
        case NetProblem.REFUSED:
            sentence = f"{where} refuses connections."
            cure = "Start the service there." if target.is_loopback else f"Check the port. {_FIREWALL}"
        case NetProblem.TIMEOUT:
            sentence, cure = f"{where} does not answer.", _FIREWALL
        case NetProblem.UNREACHABLE:
            sentence, cure = f"There is no way to {where} from here.", _ONLINE
        case _:
            sentence, cure = f"{where} cannot be reached ({facts.problem.value}).", _ONLINE
    return fail("connection", EXIT_LINK, sentence, cure, **details)


def check_tls(target: Target, facts: StageFacts | None) -> Finding:
    """The connection is secret, and it is the service at the other end."""
    if not target.is_tls:
        return ok("tls", "Plain, because the service is on this machine.")
    if facts is None:
        return skip("tls", "There is no connection.")
    details = {"ms": facts.ms, "detail": facts.detail}
    match facts.problem:
        case None:
            return ok("tls", f"The certificate is trusted ({facts.detail}, {facts.ms} ms).", **details)
        case NetProblem.NOT_YET_VALID:
            sentence = "The service's certificate is not valid yet, by this machine's clock."
            cure = "Set the clock right (`timedatectl set-ntp true` on Linux); see the check of the clock."
        case NetProblem.EXPIRED:
            sentence = "The service's certificate has expired, by this machine's clock."
            cure = "Check this machine's clock first; if it is right, the service has to renew it."
        case NetProblem.UNTRUSTED:
            sentence = "The service's certificate is not signed by anybody this machine trusts."
            cure = (
                "A proxy or a virus scanner may be reading along: install its root certificate and name it in "
                "SSL_CERT_FILE, or install the ca-certificates package."
            )
        case NetProblem.WRONG_NAME:
            sentence = f"The certificate there is not for {target.host}."
            cure = "Check api.base_url; a hotel's or office's login page may be answering instead."
        case NetProblem.NO_TLS:
            sentence = f"{target.host}:{target.port} does not speak TLS."
            cure = "Check the port in api.base_url; a login page may be answering instead."
        case _:
            sentence, cure = f"The secure connection failed ({facts.problem.value}).", _FIREWALL
    return fail("tls", EXIT_LINK, sentence, cure, **details)


def check_clock(facts: DateFacts | None) -> Finding:
    """This machine's clock and the service's agree."""
    if facts is None or facts.theirs is None:
        return skip("clock", "The service told no time to compare with.")
    ahead = facts.ours - facts.theirs
    details = {"ahead_s": round(ahead)}
    if abs(ahead) < CLOCK_WARN_S:
        return ok("clock", "This machine's clock is right.", **details)
    side = "ahead" if ahead > 0 else "behind"
    sentence = f"This machine's clock is {span(abs(ahead))} {side}."
    cure = "Set it right: `timedatectl set-ntp true` on Linux, the date settings on macOS and Windows."
    if abs(ahead) < CLOCK_FAIL_S:
        return warn("clock", sentence, cure, **details)
    return fail("clock", EXIT_LINK, f"{sentence} Certificates and sessions will not hold.", cure, **details)


def span(seconds: float) -> str:
    """A length of time in the one or two units that matter."""
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{round(seconds / 86_400)} days"
