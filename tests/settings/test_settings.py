"""Loading, merging and refusing settings."""

from __future__ import annotations

import re
import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinch_tui.core.choices import TalkMode
from pinch_tui.core.options import Option, Voice
from pinch_tui.errors import EXIT_USAGE, ConfigError
from pinch_tui.settings.checks import BadValue, check, convert, convert_text
from pinch_tui.settings.lines import line_of
from pinch_tui.settings.load import (
    LoadedSettings,
    Source,
    load,
    nearest,
    value_of,
)
from pinch_tui.settings.model import OPTIONS, Settings

CANARY = "pk_canary_7f3a"


def _load(tmp_path: Path, text: str = "", env: dict[str, str] | None = None, **flags: object) -> LoadedSettings:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return load(
        path, {"PINCH_TUI_HOME": str(tmp_path), **(env or {})}, {k.replace("__", "."): v for k, v in flags.items()}
    )


def _refusal(tmp_path: Path, text: str = "", env: dict[str, str] | None = None, **flags: object) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        _load(tmp_path, text, env, **flags)
    assert caught.value.exit_code == EXIT_USAGE
    assert "\n" not in str(caught.value)
    return caught.value


# ---- merging ------------------------------------------------------------------------------------------------------


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    loaded = load(None, {"PINCH_TUI_HOME": str(tmp_path)}, {})
    assert loaded.settings == Settings()
    assert loaded.config_file == tmp_path / "config" / "config.toml"
    assert loaded.warnings == ()
    assert {origin.source for origin in loaded.origins.values()} == {Source.DEFAULT}
    assert set(loaded.origins) == set(OPTIONS)


def test_each_source_beats_the_one_before(tmp_path: Path) -> None:
    text = '[session]\nsource = "fr"\ntarget = "de"\nvoice = "female"\n'
    env = {"PINCH_TUI_SESSION__TARGET": "it", "PINCH_TUI_SESSION__VOICE": "male"}
    loaded = _load(tmp_path, text, env, session__voice="female")
    session = loaded.settings.session
    assert (session.source, session.target, session.voice) == ("fr", "it", Voice.FEMALE)
    assert str(loaded.origins["session.source"]) == f"{tmp_path / 'config.toml'}, line 2"
    assert str(loaded.origins["session.target"]) == "PINCH_TUI_SESSION__TARGET"
    assert str(loaded.origins["session.voice"]) == "--voice"
    assert loaded.origins["session.context"].source is Source.DEFAULT


def test_special_variables_beat_the_long_names(tmp_path: Path) -> None:
    env = {
        "PINCH_API_KEY": CANARY,
        "PINCH_TUI_API__KEY": "pk_other",
        "PINCH_BASE_URL": "http://127.0.0.1:8765/",
    }
    loaded = _load(tmp_path, "", env)
    assert loaded.settings.api.key == CANARY
    assert loaded.settings.api.base_url == "http://127.0.0.1:8765"
    assert loaded.origins["api.key"].place == "PINCH_API_KEY"
    assert CANARY not in repr(loaded)


def test_the_file_may_be_named_in_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[talk]\nmode = "tap"\n', encoding="utf-8")
    assert load(None, {"PINCH_TUI_CONFIG": str(path)}, {}).settings.talk.mode is TalkMode.TAP
    with pytest.raises(ConfigError, match="does not exist"):
        load(None, {"PINCH_TUI_CONFIG": str(tmp_path / "none.toml")}, {})


def test_a_flag_beats_the_named_file(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine.toml", tmp_path / "other.toml"
    mine.write_text("[talk]\ntail_ms = 1\n", encoding="utf-8")
    other.write_text("[talk]\ntail_ms = 2\n", encoding="utf-8")
    assert load(mine, {"PINCH_TUI_CONFIG": str(other)}, {}).settings.talk.tail_ms == 1


def test_every_key_can_be_set_by_its_variable(tmp_path: Path) -> None:
    texts = {
        "service.name": "practice",
        "beta1.base_url": "https://beta1.example.org",
        "cartesia.base_url": "https://cartesia.example.org",
        "smallest.base_url": "https://smallest.example.org",
        "api.base_url": "https://example.org",
        "api.key": CANARY,
        "session.source": "pt_br",
        "session.target": "DE",
        "session.voice": "Female",
        "session.finalize_mode": "sentence",
        "session.reopen": "press",
        "talk.mode": "hold",
        "talk.key": "f9",
        "mic.keep_open": "always",
        "speaker.volume": "0.5",
        "speaker.barge_in": "mix",
        "speaker.cues": "off",
        "speaker.other_sound": "duck",
        "ui.ascii": "true",
        "ui.bidi": "app",
        "ui.keys": "swap=ctrl+x, help=f1",
        "ui.theme": "nord",
        "dub.base_url": "https://dub.example.org",
        "dub.poll_s": "0.5",
    }
    env = {}
    for key, row in OPTIONS.items():
        env[row.variable] = texts.get(key) or {bool: "yes", int: "7", str: "word"}[row.kind]
    loaded = _load(tmp_path, "", env)
    for key in OPTIONS:
        assert loaded.origins[key].place == OPTIONS[key].variable
    settings = loaded.settings
    assert (settings.session.source, settings.session.target) == ("pt-BR", "de")
    assert settings.ui.keys == {"swap": "ctrl+x", "help": "f1"}
    assert settings.talk.exact is True
    assert settings.talk.limit_s == 7
    assert settings.speaker.volume == 0.5


@pytest.mark.parametrize(
    ("written", "meant"), [("true", "on"), ("false", "off"), ('"on"', "on"), ('"Auto"', "auto"), ('"no"', "off")]
)
def test_ascii_takes_a_switch_or_a_word(tmp_path: Path, written: str, meant: str) -> None:
    assert _load(tmp_path, f"[ui]\nascii = {written}\n", {}).settings.ui.ascii == meant
    assert _load(tmp_path, "", {"PINCH_TUI_UI__ASCII": written.strip('"')}).settings.ui.ascii == meant


def test_empty_variables_count_as_unset(tmp_path: Path) -> None:
    loaded = _load(tmp_path, "", {"PINCH_API_KEY": "", "PINCH_TUI_TALK__TAIL_MS": "", "PINCH_TUI_CONFIG": ""})
    assert loaded.settings == Settings()


def test_the_file_is_never_written(tmp_path: Path) -> None:
    text = "# mine\r\n[talk]\r\ntail_ms=  99 # so\r\n"
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode())
    path.chmod(0o400)
    assert load(path, {}, {}).settings.talk.tail_ms == 99
    assert path.read_bytes() == text.encode()
    assert [item.name for item in tmp_path.iterdir()] == ["config.toml"]


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf[talk]\ntail_ms = 5\n")
    assert load(path, {}, {}).settings.talk.tail_ms == 5


# ---- refusing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "key", "near"),
    [
        ('[session]\nsorce = "en"\n', 2, "session.sorce", "session.source"),
        ('[session]\nsource = "en"\n\n[talk]\npre_roll_ms = 3\n', 5, "talk.pre_roll_ms", "talk.preroll_ms"),
        ("[speker]\nvolume = 1\n", 1, "[speker]", "[speaker]"),
        ("preroll_ms = 1\n", 1, "preroll_ms", "talk.preroll_ms"),
        ('talk.mod = "tap"\n', 1, "talk.mod", "talk.mode"),
        ("[mic]\nvolume = 1.0\n", 2, "mic.volume", "speaker.volume"),
        ('[session]\ncontext = """\nsource = 1\n"""\nto = "es"\n', 5, "session.to", "session.t"),
    ],
)
def test_an_unknown_key_names_file_line_and_neighbour(
    tmp_path: Path, text: str, line: int, key: str, near: str
) -> None:
    error = _refusal(tmp_path, text)
    assert f"{tmp_path / 'config.toml'}, line {line}:" in error.title
    assert key in error.title
    assert near in error.hint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"[talk]\nlimit_s = {'9' * 400}\n", "line 2: talk.limit_s must be a number of a reasonable size"),
        (f"[speaker]\nvolume = {'9' * 400}\n", "line 2: speaker.volume must be a number of a reasonable size"),
        (f"[talk]\nlimit_s = {'9' * 6_000}\n", "config.toml contains a number that is too long"),
        ("[talk]\npreroll_ms = 1501\n", "line 2: talk.preroll_ms must be 0 to 1500 ms, not 1501"),
        ("[talk]\ntail_ms = -1\n", "talk.tail_ms must be 0 to 2000 ms, not -1"),
        ("[talk]\nlimit_s = 4\n", "talk.limit_s must be 5 to 600 s, not 4"),
        ("[speaker]\nvolume = 2.5\n", "speaker.volume must be 0 to 2, not 2.5"),
        ("[speaker]\nvolume = nan\n", "speaker.volume must be 0 to 2, not nan"),
        ("[speaker]\nvolume = inf\n", "speaker.volume must be 0 to 2, not inf"),
        ("[history]\nkeep_days = -3\n", "history.keep_days must be 0 to"),
        ("[talk]\ntail_ms = true\n", "talk.tail_ms must be a whole number"),
        ("[talk]\ntail_ms = 1.5\n", "talk.tail_ms must be a whole number"),
        ('[talk]\ntail_ms = "150"\n', "talk.tail_ms must be a whole number"),
        ('[talk]\nexact = "yes"\n', "talk.exact must be true or false"),
        ("[talk]\nexact = 1\n", "talk.exact must be true or false"),
        ("[talk]\nmode = 1\n", "talk.mode must be auto, hold or tap"),
        ('[talk]\nmode = "holt"\n', 'talk.mode is "holt"; it must be auto, hold or tap. Did you mean hold?'),
        ('[session]\nvoice = "robot"\n', 'session.voice is "robot"; it must be male, female or clone'),
        ('[session]\nsource = "engl"\n', "Did you mean en (English)?"),
        ('[session]\nsource = "en"\ntarget = "en"\n', "session.target is en, the spoken language"),
        ('[session]\ntarget = "auto"\n', "session.target must name a language"),
        ('[session]\nsource = "auto"\ntwo_way = true\n', "session.two_way needs two named languages"),
        ('[session]\ntarget_label = "a\\u001bb"\n', "session.target_label must be one line"),
        ('[api]\nbase_url = "http://example.org"\n', "must be https: the key would be sent unencrypted"),
        ('[api]\nbase_url = "http://127.0.0.1.example.org"\n', "must be https"),
        ('[api]\nbase_url = "https://me:pw@example.org"\n', "must not contain a user name or a password"),
        ('[api]\nbase_url = "ftp://example.org"\n', "must be an https URL"),
        ('[api]\nbase_url = "https://"\n', "must be an https URL"),
        ('[api]\nbase_url = "https://example.org:99999"\n', "is not a URL"),
        ('[api]\nbase_url = "https://example.org?x=1"\n', "must not have a query or a fragment"),
        ('[talk]\nkey = ""\n', "talk.key must be a key's name"),
        ('[talk]\nkey = "spcae"\n', 'not "spcae". Did you mean space?'),
        ('[talk]\nkey = "strg+t"\n', 'not "strg+t". Did you mean ctrl+t?'),
        ('[talk]\nkey = "tab"\n', "line 2: talk.key: 'tab' moves the focus."),
        ('[ui]\nkeys = 3\n', "ui.keys must be a table"),
        ('[ui.keys]\n"Über" = "f1"\n', "which is not the name of an action"),
        ('[ui]\ntheme = "pinch-drak"\n', "line 2: ui.theme: there is no theme 'pinch-drak'. Did you mean 'pinch-dark'"),
        ('[ui.keys]\nhelp = "f1"\nswpa = "x"\n', "line 3: ui.keys: there is no action 'swpa'. Did you mean 'swap'?"),
        ('[ui]\nkeys = {swap = "m"}\n', "line 2: ui.keys.swap: the key 'm' is taken by action 'mute'."),
        ('[ui.keys]\nquit = "x"\n', "line 2: ui.keys.quit cannot be changed."),
        ('[talk]\nkey = "s"\n', "line 2: talk.key: the key 's' is taken by action 'swap'."),
        ("talk = 3\n", "talk is a section"),
        ("[talk\n", "is not valid TOML"),
        ("[talk]\ntail_ms = 1\ntail_ms = 2\n", "is not valid TOML"),
    ],
)  # fmt: skip
def test_a_bad_value_is_named_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    error = _refusal(tmp_path, text)
    assert str(tmp_path / "config.toml") in error.title
    assert words in str(error)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_lines(tmp_path: Path) -> None:
    text = (
        '[ui]\ntheme = "pinch-drak"\n[ui.keys]\nswpa = "x"\nreplay = "m"\nquit = "q"\n[talk]\nmood = "tap"\n'
        'tail_ms = -1\n[sesion]\nsource = "en"\n[session]\ntarget = "klingonese"\nsource = "es"\n'
    )
    error = _refusal(tmp_path, text, {"PINCH_TUI_TALK__MOOD": "1"}, mic__device="a\nb")
    told = [str(one).partition(f"{tmp_path / 'config.toml'}, ")[2] or str(one) for one in (error, *error.others)]
    assert [line.partition(":")[0] for line in told] == [
        *("line 2", "line 4", "line 5", "line 6", "line 8", "line 9", "line 10", "line 13"),
        *("PINCH_TUI_TALK__MOOD", "--input-device"),
    ]
    assert "Did you mean 'swap'?" in told[1]
    assert "talk.mode" in told[4]


def test_a_refused_value_contradicts_nothing(tmp_path: Path) -> None:
    assert not _refusal(tmp_path, '[session]\nsource = "es"\ntarget = "?"\n').others
    assert not _refusal(tmp_path, '[talk]\nkey = "?x"\n[ui.keys]\nswap = "space"\n').others


def test_a_language_may_be_named_in_every_source_of_settings(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[session]\nsource = "english"\ntarget = "french"\n')
    path = tmp_path / "config.toml"
    session = load(path, {}).settings.session
    assert (session.source, session.target) == ("en", "fr")
    session = load(path, {"PINCH_TUI_SESSION__TARGET": "Español"}).settings.session
    assert (session.source, session.target) == ("en", "es")
    session = load(path, {}, {"session.target": "日本語"}).settings.session
    assert (session.source, session.target) == ("en", "ja")


def test_a_bad_flag_or_variable_is_named(tmp_path: Path) -> None:
    error = _refusal(tmp_path, "", None, session__source="klingonese")
    assert error.title.startswith("--from: session.source must be a language such as en")
    error = _refusal(tmp_path, "", {"PINCH_TUI_TALK__TAIL_MS": "soon"})
    assert error.title == "PINCH_TUI_TALK__TAIL_MS: talk.tail_ms must be a whole number."
    error = _refusal(tmp_path, "", {"PINCH_TUI_UI__KEYS": "swap=m"})
    assert error.title == "PINCH_TUI_UI__KEYS: ui.keys.swap: the key 'm' is taken by action 'mute'."
    error = _refusal(tmp_path, "", {"PINCH_TUI_TALK__EXACT": "maybe"})
    assert "talk.exact must be true or false" in error.title


@pytest.mark.parametrize(
    ("variable", "near"),
    [
        ("PINCH_TUI_TALK__MOOD", "PINCH_TUI_TALK__MODE"),
        ("PINCH_TUI_TALK_MODE", "PINCH_TUI_TALK__MODE"),
        ("PINCH_TUI_VOLUME", "PINCH_TUI_SPEAKER__VOLUME"),
        ("PINCH_TUI_CONFG", "PINCH_TUI_CONFIG"),
    ],
)
def test_an_unknown_variable_is_told_its_neighbour(tmp_path: Path, variable: str, near: str) -> None:
    error = _refusal(tmp_path, "", {variable: "x"})
    assert error.title == f"{variable}: there is no such setting."
    assert near in error.hint


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PINCH_TUI_PORT", "tcp://10.0.0.11:80"),
        ("PINCH_TUI_PORT_80_TCP_ADDR", "10.0.0.11"),
        ("PINCH_TUI_SERVICE_HOST", "10.0.0.11"),
        ("PINCH_TUI_SERVICE_PORT_HTTP", "80"),
        ("PINCH_TUI_NAME", "/web/pinch-tui"),
        ("PINCH_TUI_ENV_PATH", "/bin"),
        ("PINCH_TUI_WALLPAPER", "x"),
        ("PINCH_TUI_", "x"),
    ],
)
def test_a_variable_that_another_program_injected_is_only_warned_about(
    tmp_path: Path, variable: str, value: str
) -> None:
    loaded = _load(tmp_path, "", {variable: value})
    assert loaded.warnings == (f"{variable} is not a setting of this program and is ignored.",)
    assert loaded.settings == Settings()


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("Space", "space"),
        ("F9", "f9"),
        ("Right_Alt", "right_alt"),
        ("Ctrl+Alt+T", "alt+ctrl+t"),
        ("§", "section_sign"),
        ("shift+?", "shift+question_mark"),
        ("é", "é"),
    ],
)
def test_the_talk_key_gets_the_spelling_that_key_events_have(tmp_path: Path, written: str, key: str) -> None:
    assert _load(tmp_path, f'[talk]\nkey = "{written}"\n').settings.talk.key == key


def test_a_missing_or_unreadable_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        load(tmp_path / "none.toml", {}, {})
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path, {}, {})
    path = tmp_path / "latin.toml"
    path.write_bytes(b'[session]\ncontext = "caf\xe9"\n')
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load(path, {}, {})


@pytest.mark.parametrize("bad", [f"{CANARY} x", f"{CANARY}\\n", f"{CANARY}é", CANARY * 60])
def test_a_refused_key_is_never_quoted(tmp_path: Path, bad: str) -> None:
    error = _refusal(tmp_path, f'[api]\nkey = "{bad}"\n')
    assert "api.key must be one word" in error.title
    assert "canary" not in str(error) + repr(error) + str(error.__cause__) + str(error.__context__)


# ---- warnings -----------------------------------------------------------------------------------------------------


def test_a_key_that_others_can_read_is_warned_about(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f'[api]\nkey = "{CANARY}"\n', encoding="utf-8")
    path.chmod(0o644)
    (warning,) = load(path, {}, {}).warnings
    assert f"chmod 600 {path}" in warning
    assert CANARY not in warning
    path.chmod(0o600)
    assert load(path, {}, {}).warnings == ()


def test_a_long_context_is_cut_and_said(tmp_path: Path) -> None:
    loaded = _load(tmp_path, "", None, session__context="x" * 2001)
    assert loaded.warnings == ("session.context has 2,001 characters. Only the first 2,000 are sent.",)


# ---- lines and neighbours -----------------------------------------------------------------------------------------


def test_line_of_reads_the_usual_spellings() -> None:
    text = (
        'talk = {mode = "tap"}\n[ session ] # so\n"source" = "en"\ncontext = \'\'\'\ntarget = 1\n\'\'\'\ntarget="es"\n'
    )
    assert line_of(text, "talk.mode") == 1
    assert line_of(text, "session") == 2
    assert line_of(text, "session.source") == 3
    assert line_of(text, "session.target") == 7
    assert line_of(text, "mic.device") is None


@given(st.text(max_size=200), st.text(max_size=20))
def test_line_of_never_raises(text: str, key: str) -> None:
    line = line_of(text, key)
    assert line is None or 1 <= line <= len(text.splitlines())


@given(st.sampled_from(sorted(OPTIONS)), st.integers(0, 30), st.sampled_from("abcxyz_"))
def test_the_nearest_key_of_a_slip_is_the_key_itself(key: str, at: int, char: str) -> None:
    section, _, name = key.partition(".")
    at = at % (len(name) + 1)
    slip = f"{section}.{name[:at]}{char}{name[at:]}"
    assert nearest(slip) == key


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(OPTIONS)), _ANYTHING)
def test_any_value_is_taken_or_refused_with_a_reason(key: str, raw: object) -> None:
    kind = OPTIONS[key].kind
    try:
        value = check(key, convert(kind, raw))
    except BadValue as refusal:
        assert str(refusal)
        return
    assert check(key, convert(kind, value)) == value


@given(st.sampled_from(sorted(OPTIONS)), st.text(max_size=20))
def test_any_variable_is_taken_or_refused_with_a_reason(key: str, raw: str) -> None:
    try:
        check(key, convert_text(OPTIONS[key].kind, raw))
    except BadValue as refusal:
        assert str(refusal)


# ---- the example --------------------------------------------------------------------------------------------------

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


def test_the_example_loads_to_the_defaults() -> None:
    loaded = load(EXAMPLE, {}, {})
    assert loaded.settings == Settings()
    assert loaded.warnings == ()


def test_the_example_holds_every_field_and_no_other() -> None:
    document = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    stands = {f"{section}.{name}" for section, table in document.items() for name in table}
    assert stands == set(OPTIONS)


def test_the_example_says_something_about_every_field() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    for key in OPTIONS:
        line = line_of("\n".join(lines), key)
        assert line is not None
        assert lines[line - 2].startswith("# "), f"{key} has no comment above it"


@pytest.mark.parametrize("row", [row for row in OPTIONS.values() if row.within], ids=lambda row: row.key)
def test_ranges_are_checked_and_in_the_example(tmp_path: Path, row: Option) -> None:
    assert row.within is not None
    low, high, _ = (row.kind(end) if n < 2 else end for n, end in enumerate(row.within))
    section, _, name = row.key.partition(".")
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    line = line_of("\n".join(lines), row.key)
    assert line is not None
    told = re.search(r"([\d.]+)-([\d.]+\d)", lines[line - 2])
    assert told is not None
    assert (float(told[1]), float(told[2])) == (low, high)
    for value in (low, high):
        assert value_of(_load(tmp_path, f"[{section}]\n{name} = {value}\n").settings, row.key) == value
    for value in (low - 1, high + 1):
        _refusal(tmp_path, f"[{section}]\n{name} = {value}\n")


HUGE = {
    "tables": lambda n: "".join(f"[a{i}]\nx=1\n" for i in range(n // 10)),
    "dotted tables": lambda n: "".join(f"[a.b{i}.c]\n" for i in range(n // 12)),
    "one deep table": lambda n: "[" + ".".join("a" * (n // 2)) + "]\n",
    "one deep key": lambda n: "a" + ".a" * (n // 2) + "=1\n",
    "arrays": lambda n: "x=" + "[" * (n // 2) + "]" * (n // 2),
    "keys": lambda n: "".join(f"k{i}=1\n" for i in range(n // 8)),
    "known section": lambda n: "[session]\n" + "".join(f"k{i}=1\n" for i in range(n // 8)),
    "arrays of tables": lambda n: "[[x]]\n" * (n // 6),
    "inline tables": lambda n: "x={" + ",".join(f"a{i}=1" for i in range(n // 9)) + "}\n",
    "digits": lambda n: "x=" + "1" * n,
}


@pytest.mark.parametrize("size", [60_000, 2_000_000])
@pytest.mark.parametrize("what", HUGE)
def test_a_huge_configuration_is_refused_within_a_second(tmp_path: Path, what: str, size: int) -> None:
    path = tmp_path / "config.toml"
    path.write_text(HUGE[what](size))
    began = time.process_time()
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    assert time.process_time() - began < 1.0
    assert len(caught.value.others) <= 25


@pytest.mark.parametrize("section", ["api", "beta1", "cartesia", "smallest", "dub"])
def test_the_example_of_an_address_is_the_services_own(tmp_path: Path, section: str) -> None:
    error = _refusal(tmp_path, f'[{section}]\nbase_url = "http://example.org"\n')
    usual = getattr(Settings(), section).base_url
    assert f"{section}.base_url must be https" in error.title and f"For example {usual}," in error.hint
