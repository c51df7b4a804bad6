"""Checks of the service: the session, its socket, `ready`, and the way there and back. Pure.

Statuses and close codes are those of the service's reference, sections 1.3 and 1.11.
"""

from __future__ import annotations

from statistics import median

from pinch_tui.diagnose.facts import SessionFacts, TalkFacts
from pinch_tui.diagnose.finding import Finding, fail, ok, skip, warn
from pinch_tui.errors import EXIT_CREDENTIALS, EXIT_LINK

SLOW_MS = 300.0
"""A way there and back that is felt when talking."""
SUPPORT = "support@startpinch.com"


def check_session(facts: SessionFacts | None, why_not: str = "", key_source: str = "") -> Finding:
    """A session was given; every refusal has its own words."""
    if facts is None:
        return skip("session", why_not or "No session was asked for.")
    status = facts.status
    details: dict[str, object] = {"status": status, "ms": facts.ms}
    if facts.error is None:
        model = f", model {facts.model_version_id}" if facts.model_version_id else ""
        return ok(
            "session",
            f"Session {facts.session_id}{model} in {facts.ms} ms.",
            **details,
            session_id=facts.session_id,
            model_version_id=facts.model_version_id or None,
            expires_in=facts.expires_in,
        )
    source = f" from: {key_source}" if key_source else ""
    match status:
        case 401:
            sentence = f"The service refused the API key{source} (401)."
            cure = "Copy the key anew from the developer portal and store it with `pinch-tui key set`."
            return fail("session", EXIT_CREDENTIALS, sentence, cure, **details)
        case 403:
            sentence = f"The API key{source} is valid, but not entitled to real-time translation (403)."
            cure = f"This is no typing mistake: ask {SUPPORT} for the entitlement."
            return fail("session", EXIT_CREDENTIALS, sentence, cure, **details)
        case 429:
            sentence = "The service asks for fewer sessions (429)."
            return fail("session", EXIT_LINK, sentence, "Close other copies, wait a minute, try again.", **details)
        case 503:
            sentence = "The service has no free capacity (503)."
            cure = "Nothing is wrong here: try again in a minute; the app itself keeps your words and goes on trying."
            return fail("session", EXIT_LINK, sentence, cure, **details)
        case None:
            return fail(
                "session", facts.error.exit_code, facts.error.title, _without_app_words(facts.error.hint), **details
            )
        case _ if status >= 500:
            sentence = f"The service had an internal error ({status})."
            return fail("session", EXIT_LINK, sentence, f"Try again; if it stays, write to {SUPPORT}.", **details)
        case _ if 300 <= status < 400:
            sentence = f"The service answered with a redirect ({status}), which is not followed."
            return fail("session", EXIT_LINK, sentence, "Set api.base_url to the service's own address.", **details)
        case _:
            sentence = f"The service refused the session's settings ({status})."
            return fail("session", EXIT_LINK, sentence, "Try other languages, or `--text-only`.", **details)


def check_socket(facts: TalkFacts | None) -> Finding:
    """The session's socket opens."""
    if facts is None:
        return skip("socket", "There is no session.")
    if facts.open_error is not None:
        cure = _without_app_words(facts.open_error.hint) or "A firewall or proxy may let no WebSockets pass."
        return fail("socket", EXIT_LINK, facts.open_error.title, cure, ms=facts.open_ms)
    return ok("socket", f"The session's socket opened in {facts.open_ms} ms.", ms=facts.open_ms)


def check_ready(facts: TalkFacts | None) -> Finding:
    """The service says `ready`."""
    if facts is None or facts.open_error is not None:
        return skip("ready", "There is no socket.")
    said = f' It said: "{facts.said}"' if facts.said else ""
    if facts.ready_ms is not None:
        if said:
            return warn(
                "ready", f"The service is ready, but complains.{said}", "Try other languages.", ms=facts.ready_ms
            )
        return ok("ready", f"The service was ready after {facts.ready_ms} ms.", ms=facts.ready_ms)
    if facts.close_code is not None:
        return fail(
            "ready",
            EXIT_LINK,
            f"The service closed the socket before it was ready ({facts.close_code}).{said}",
            _close_cure(facts.close_code),
            close_code=facts.close_code,
        )
    return fail(
        "ready",
        EXIT_LINK,
        f"The socket opened, but the service never said that it is ready.{said}",
        "Try again; if it stays, a proxy may be holding the messages back.",
    )


def check_round_trip(facts: TalkFacts | None, session: SessionFacts | None = None) -> Finding:
    """Sound is taken, and an answer comes back in good time."""
    if facts is None or facts.ready_ms is None:
        return skip("round trip", "The service is not ready.")
    report = f"Report it with session {session.session_id}, model {session.model_version_id}." if session else ""
    if facts.close_code is not None:
        return fail(
            "round trip",
            EXIT_LINK,
            f"The service closed the socket when it was given sound ({facts.close_code}).",
            _close_cure(facts.close_code) if facts.close_code != 4400 else report or _close_cure(4400),
            close_code=facts.close_code,
        )
    if not facts.round_trips_ms:
        return fail(
            "round trip",
            EXIT_LINK,
            "Nothing came back through the socket.",
            "A proxy may be holding it back; try again.",
        )
    middle = median(facts.round_trips_ms)
    details = {"median_ms": round(middle, 1), "all_ms": [round(ms, 1) for ms in facts.round_trips_ms]}
    if not facts.has_taken_sound:
        return fail("round trip", EXIT_LINK, "The service did not take the sound.", report or "Try again.", **details)
    if middle > SLOW_MS:
        return warn(
            "round trip",
            f"There and back takes {middle:.0f} ms: translations will lag.",
            "Use another network or no VPN.",
            **details,
        )
    return ok("round trip", f"There and back in {middle:.0f} ms; sound is taken.", **details)


def _close_cure(code: int) -> str:
    match code:
        case 4401:
            return "The session's address had expired on arrival: check this machine's clock and the network's speed."
        case 4400:
            return f"This is a fault of the client: write to {SUPPORT} with the session's id."
        case 4500:
            return f"A fault of the service: try again; if it stays, write to {SUPPORT}."
        case 4503 | 1000 | 1001:
            return "The service ended the session: try again."
        case _:
            return "The connection was lost: check the network, then try again."


def _without_app_words(hint: str) -> str:
    """The hints of the client's errors reassure somebody who is talking; nobody is here."""
    return hint.replace("; your words are kept.", ".").replace(" Your words are kept.", "").strip()
