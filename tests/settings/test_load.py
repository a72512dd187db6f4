"""One file in: one checked value out, or every mistake in it with its place."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from monitor.alerts.ladder import DEFAULT_LADDER, Measure, Severity
from monitor.errors import ConfigError
from monitor.risk.result import Target
from monitor.settings import Settings, find_config, load_settings

CANARY = "canary-4f1d9c"
CONFIG = Path(__file__).parents[2] / "config"

ACCOUNT = """
[[accounts]]
name = "main"
exchange = "bybit"
api_key = { env = "KEY" }
api_secret = { env = "SECRET" }
"""
CHANNEL = """
[[channels]]
name = "phone"
url = { env = "URL" }
"""
ENVIRON = {"KEY": "k", "SECRET": "s", "PASSPHRASE": "p", "URL": "json://127.0.0.1:9/x"}

TEN_MISTAKES = """\
[[accounts]]
name = "main"
exchange = "bibyt"
api_ky = { env = "KEY" }
api_secret = { env = "NOT_SET" }
poll_seconds = 0

[[accounts]]
name = "main"
exchange = "okx"
api_key = { env = "KEY" }
api_secret = { credental = "x" }

[[ladder]]
name = "warning"
enter = 80
leave = 0.77
[[ladder]]
name = "critical"
severity = "critical"
enter = 0.7
leave = 0.95
[budgets]
acount = 3
[[channels]]
name = "phone"
url = { env = "FILE_URL" }
[http]
listen = "0.0.0.0:8321"
"""


def written(tmp_path: Path, text: str, *, mode: int = 0o600) -> Path:
    path = tmp_path / "m.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def loaded(tmp_path: Path, text: str, **environ: str) -> Settings:
    return load_settings(written(tmp_path, text), ENVIRON | environ)


def mistakes_of(
    tmp_path: Path, text: str, *, mode: int = 0o600, environ: dict[str, str] | None = None
) -> list[str]:
    path = written(tmp_path, text, mode=mode)
    with pytest.raises(ConfigError) as caught:
        load_settings(path, ENVIRON | (environ or {}))
    return [mistake.removeprefix(str(path)) for mistake in caught.value.mistakes]


def test_the_least_that_runs_gets_the_documented_defaults(tmp_path: Path) -> None:
    settings = loaded(tmp_path, ACCOUNT + CHANNEL, STATE_DIRECTORY="/var/lib/a:/var/lib/b")

    assert settings.ladder == DEFAULT_LADDER
    assert (settings.budgets.account_seconds, settings.budgets.marks_seconds) == (60, 15)
    assert settings.target == Target(ratio=Decimal("0.50"), distance=Decimal("0.05"))
    assert (settings.http_host, settings.http_port) == ("127.0.0.1", 8321)
    assert settings.state_directory == Path("/var/lib/a")
    account = settings.accounts[0]
    assert (account.poll_seconds, account.products, account.allow_trading_key) == (15, None, False)
    assert account.api_secret.get_secret_value() == "s"
    assert settings.channels[0].min_severity is Severity.INFO


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("x = " + "[" * 5000, ": this is not TOML: maximum recursion depth exceeded"),
        ("x = " + "9" * 5000, ": this is not TOML: Exceeds the limit (4300 digits)"),
        (
            ACCOUNT + CHANNEL + '[state]\ndirectory = "~no-such-user/x"\n',
            ":12: state.directory: ~no-such-user is the home of nobody here",
        ),
        (
            ACCOUNT + CHANNEL + '[state]\ndirectory = "/tmp/a\\u0000b"\n',
            ":12: state.directory: expected an absolute path, found '/tmp/a\\x00b'",
        ),
        (
            ACCOUNT.replace('{ env = "KEY" }', '{ file = "~no-such-user/key" }') + CHANNEL,
            ":5: accounts[0].api_key: ~no-such-user is the home of nobody here",
        ),
    ],
)
def test_whatever_stands_in_the_file_it_is_a_mistake_and_no_fault_of_ours(
    tmp_path: Path, text: str, mistake: str
) -> None:
    (told,) = mistakes_of(tmp_path, text)
    assert told.startswith(mistake)


def test_a_mark_before_the_text_is_overlooked(tmp_path: Path) -> None:
    assert loaded(tmp_path, "\ufeff" + ACCOUNT + CHANNEL).accounts[0].name == "main"


def test_without_systemd_the_state_is_kept_at_home(tmp_path: Path) -> None:
    settings = loaded(tmp_path, ACCOUNT + CHANNEL)

    assert settings.state_directory == Path.home() / ".local/state/margin-monitor"


def test_who_names_an_instance_runs_two_and_each_uses_half_of_the_limits_f83(
    tmp_path: Path,
) -> None:
    alone = loaded(tmp_path, ACCOUNT + CHANNEL).budgets
    assert (alone.limits_share, alone.is_shared) == (0.2, False)
    named = '[instance]\nname = "home"\n'
    for limits, share in (("", 0.1), ("[budgets]\nlimits = 0.30\n", 0.15)):
        both = loaded(tmp_path, ACCOUNT + CHANNEL + named + limits).budgets
        assert (both.limits_share, both.is_shared) == (share, True)


def test_thresholds_are_read_to_the_last_digit(tmp_path: Path) -> None:
    rung = '[[ladder]]\nname = "near"\non = "distance"\nenter = 0.05\nleave = 0.06\n'
    settings = loaded(tmp_path, ACCOUNT + CHANNEL + rung)

    assert settings.ladder.rungs[0].enter == Decimal("0.05")
    assert settings.ladder.rungs[0].on is Measure.DISTANCE


def test_polls_are_more_frequent_than_a_short_budget_by_default(tmp_path: Path) -> None:
    settings = loaded(tmp_path, ACCOUNT + CHANNEL + "[budgets]\naccount = 3\n")

    assert settings.accounts[0].poll_seconds == 1


def test_ten_mistakes_are_told_at_once_each_with_its_place(tmp_path: Path) -> None:
    found = mistakes_of(tmp_path, TEN_MISTAKES, environ={"FILE_URL": "file:///etc/passwd"})

    expected = [
        (1, "accounts[0].api_key", "is missing"),
        (3, "accounts[0].exchange", "'bybit'"),
        (4, "accounts[0].api_ky", "'api_key'"),
        (5, "accounts[0].api_secret", "NOT_SET is not set"),
        (6, "accounts[0].poll_seconds", "0.5 to 300 seconds, found 0"),
        (8, "accounts[1].passphrase", "an OKX key has a passphrase"),
        (9, "accounts[1].name", "called 'main' already"),
        (12, "accounts[1].api_secret", "'credential'"),
        (16, "ladder[0].enter", "found 80: write 0.8"),
        (18, "ladder[1]", "leave (0.95) must lie below enter (0.7)"),
        (24, "budgets.acount", "'account'"),
        (27, "channels[0].url", "file:// names a file"),
        (29, "http.listen", "found '0.0.0.0:8321'"),
    ]
    assert len(found) == len(expected)
    for mistake, (line, key, words) in zip(found, expected, strict=True):
        assert mistake.startswith(f":{line}: {key}: ")
        assert words in mistake


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        (CHANNEL, "accounts", "at least one [[accounts]] table"),
        (ACCOUNT, "channels", "at least one [[channels]] table"),
        ("accounts = []\n" + CHANNEL, "accounts", "at least one [[accounts]] table"),
        (ACCOUNT + 'passphrase = "p"' + CHANNEL, "accounts[0].passphrase", "has no passphrase"),
        (ACCOUNT + 'products = ["usdm"]' + CHANNEL, "accounts[0].products", "binance only"),
        (
            ACCOUNT + "poll_seconds = 301" + CHANNEL + "[budgets]\naccount = 600",
            "accounts[0].poll_seconds",
            "found 301",
        ),
        (ACCOUNT + "poll_seconds = 60" + CHANNEL, "accounts[0].poll_seconds", "(60 seconds)"),
        (ACCOUNT + 'poll_seconds = "5"' + CHANNEL, "accounts[0].poll_seconds", "a number"),
        (ACCOUNT + "allow_trading_key = 1" + CHANNEL, "accounts[0].allow_trading_key", "true or"),
        (ACCOUNT + 'rest_url = "ws://h"' + CHANNEL, "accounts[0].rest_url", "https://host"),
        (ACCOUNT + 'rest_url = "http://u:p@h"' + CHANNEL, "accounts[0].rest_url", "password"),
        (ACCOUNT + 'ws_url = "http://h"' + CHANNEL, "accounts[0].ws_url", "wss://host"),
        (ACCOUNT.replace('"main"', '"a/b"') + CHANNEL, "accounts[0].name", "without '/'"),
        (ACCOUNT.replace('"main"', '"a\\nb"') + CHANNEL, "accounts[0].name", "printable"),
        (ACCOUNT + CHANNEL + CHANNEL, "channels[1].name", "called 'phone' already"),
        (ACCOUNT + CHANNEL + 'min_severity = "high"', "channels[0].min_severity", "a severity"),
        (ACCOUNT + CHANNEL + '[http]\nlisten = "8321"', "http.listen", "host:port"),
        (ACCOUNT + CHANNEL + '[http]\nlisten = "[::1]:99999"', "http.listen", "host:port"),
        (ACCOUNT + CHANNEL + '[http]\nlisten = "example.org:80"', "http.listen", "SSH tunnel"),
        (ACCOUNT + CHANNEL + "[advice]\ntarget_ratio = 50", "advice.target_ratio", "write 0.5"),
        (ACCOUNT + CHANNEL + '[state]\ndirectory = "x"', "state.directory", "absolute"),
        (ACCOUNT + CHANNEL + "[budgets]\nmarks = nan", "budgets.marks", "finite"),
        ("ladders = 1\n" + ACCOUNT + CHANNEL, "ladders", "'ladder'"),
        ("budgets = 3\n" + ACCOUNT + CHANNEL, "budgets", "a table"),
    ],
)
def test_a_mistake_names_its_key(tmp_path: Path, text: str, key: str, words: str) -> None:
    (found,) = mistakes_of(tmp_path, text)

    assert re.match(rf"(:\d+)?: {re.escape(key)}: ", found)
    assert words in found


def test_a_more_severe_rung_must_not_enter_before_a_milder_one(tmp_path: Path) -> None:
    ladder = """
[[ladder]]
name = "mild"
enter = 0.90
leave = 0.85
[[ladder]]
name = "grave"
severity = "critical"
enter = 0.80
leave = 0.75
[[ladder]]
name = "far"
on = "distance"
enter = 0.05
leave = 0.06
[[ladder]]
name = "close"
severity = "critical"
on = "distance"
enter = 0.10
leave = 0.12
"""
    found = mistakes_of(tmp_path, ACCOUNT + CHANNEL + ladder)

    assert [re.sub(r"^:\d+: ", "", mistake) for mistake in found] == [
        (
            "ladder[1].enter: rung 'grave' (critical) must enter above rung 'mild' "
            "(warning, 0.90), found 0.80"
        ),
        (
            "ladder[3].enter: rung 'close' (critical) must enter below rung 'far' "
            "(warning, 0.05), found 0.10"
        ),
    ]


def test_two_rungs_at_one_place_are_a_mistake(tmp_path: Path) -> None:
    rung = '[[ladder]]\nname = "{}"\nenter = 0.8\nleave = 0.7\n'
    found = mistakes_of(tmp_path, ACCOUNT + CHANNEL + rung.format("a") + rung.format("b"))

    assert len(found) == 2
    assert all("another rung on ratio enters at 0.8" in mistake for mistake in found)


def test_what_is_not_toml_is_told_with_its_line(tmp_path: Path) -> None:
    (found,) = mistakes_of(tmp_path, "[[accounts]]\nname = \n")

    assert "not TOML" in found
    assert "line 2" in found


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read: No such file"):
        load_settings(tmp_path / "absent.toml", ENVIRON)


@pytest.mark.parametrize("place", ["api_key", "api_secret", "url"])
def test_a_secret_in_the_wrong_place_is_never_shown(tmp_path: Path, place: str) -> None:
    text = ACCOUNT + CHANNEL + f'\n[extra]\n{place} = "{CANARY}"\n'
    text = text.replace('{ env = "KEY" }', f'["{CANARY}"]').replace(
        '{ env = "URL" }', f'"nosuch://{CANARY}:{CANARY}@host"'
    )

    assert CANARY not in " ".join(mistakes_of(tmp_path, text))


def test_no_secret_shows_in_the_settings(tmp_path: Path) -> None:
    url = f"json://127.0.0.1/{CANARY}"
    settings = loaded(tmp_path, ACCOUNT + CHANNEL, KEY=CANARY, SECRET=CANARY, URL=url)

    assert CANARY not in f"{settings!r} {settings}"
    assert settings.secrets() == (url, CANARY, CANARY)


HEARTBEAT = '[heartbeat]\nurl = { env = "PING" }\n'


def test_the_address_of_the_dead_mans_switch_is_a_secret(tmp_path: Path) -> None:
    url = f"https://hc-ping.com/{CANARY}/"
    settings = loaded(tmp_path, ACCOUNT + CHANNEL + HEARTBEAT, PING=url)

    assert settings.heartbeat is not None
    assert settings.heartbeat.seconds == 60
    assert settings.heartbeat.url.get_secret_value() == url.rstrip("/")
    assert url.rstrip("/") in settings.secrets()
    assert CANARY not in repr(settings)
    assert loaded(tmp_path, ACCOUNT + CHANNEL).heartbeat is None


@pytest.mark.parametrize(
    ("url", "because"),
    [
        ("hc-ping.com/uuid", "expected an address to ping"),
        ("ftp://hc-ping.com/uuid", "expected an address to ping"),
        ("https://hc-ping.com/uuid?rid=1", "without query or fragment"),
        ("http://169.254.169.254/latest", "link-local and cloud metadata"),
    ],
)
def test_what_can_not_be_pinged_is_told_without_showing_it(
    tmp_path: Path, url: str, because: str
) -> None:
    (found,) = mistakes_of(tmp_path, ACCOUNT + CHANNEL + HEARTBEAT, environ={"PING": url})
    assert "heartbeat.url" in found
    assert because in found
    assert url not in found


def test_where_secrets_are_not_wanted_no_source_is_opened(tmp_path: Path) -> None:
    path = written(tmp_path, ACCOUNT + CHANNEL + 'min_severity = "high"')
    with pytest.raises(ConfigError) as caught:
        load_settings(path, {}, secrets=False)
    assert len(caught.value.mistakes) == 1  # of the severity: none of the absent variables

    settings = load_settings(written(tmp_path, ACCOUNT + CHANNEL), {}, secrets=False)
    assert settings.accounts[0].name == "main"
    assert set(settings.secrets()) == {""}


def test_the_given_file_goes_before_the_variable_and_that_before_the_default_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, named = tmp_path / "a.toml", tmp_path / "b.toml"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    (tmp_path / "config/margin-monitor.toml").touch()

    assert find_config(given, {"MARGIN_MONITOR_CONFIG": str(named)}) == given
    assert find_config(None, {"MARGIN_MONITOR_CONFIG": str(named)}) == named
    assert find_config(None, {}).name == "margin-monitor.toml"


def test_where_no_file_was_found_the_places_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = (tmp_path / "etc.toml", tmp_path / "local.toml")
    monkeypatch.setattr("monitor.settings.load.DEFAULT_PLACES", places)

    with pytest.raises(ConfigError) as caught:
        find_config(None, {})

    assert all(str(place) in str(caught.value) for place in places)


@pytest.mark.parametrize("name", ["margin-monitor.example", "minimal", "simulator"])
def test_each_shipped_file_loads(name: str, tmp_path: Path) -> None:
    secret = tmp_path / "binance_secret"
    text = (CONFIG / f"{name}.toml").read_text(encoding="utf-8")
    text = text.replace("/etc/margin-monitor/binance_secret", str(secret))
    credentials = re.findall(r'credential = "(\w+)"', text)
    for credential in (secret.name, *credentials):
        file = tmp_path / credential
        file.write_text("json://127.0.0.1:9/x" if "url" in credential else "x", encoding="utf-8")
        file.chmod(0o600)
    variables = dict.fromkeys(re.findall(r'env = "(\w+)"', text), "json://127.0.0.1:9/")

    # As readable as a file from a clone is: what it holds as text must be no secret.
    path = written(tmp_path, text, mode=0o644)
    settings = load_settings(path, variables | {"CREDENTIALS_DIRECTORY": str(tmp_path)})

    assert settings.accounts
    assert settings.ladder == DEFAULT_LADDER


def test_the_example_shows_every_setting() -> None:
    from monitor.settings.document import TABLES  # noqa: PLC0415 - the room's inside

    text = (CONFIG / "margin-monitor.example.toml").read_text(encoding="utf-8")
    for table, shape in TABLES.items():
        # What is off unless it is given stands there as a comment.
        shown = "# " if table in {"heartbeat", "instance"} else ""
        assert re.search(rf"^{shown}\[+{table}\]+$", text, re.MULTILINE), table
        for key in shape.model_fields:
            assert re.search(rf"^{shown}{key} = ", text, re.MULTILINE), f"{table}.{key}"
