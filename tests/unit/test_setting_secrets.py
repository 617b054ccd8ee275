"""Test settings: no error and no repr shows a credential."""

import traceback
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvcache.container import Container
from dvcache.errors import ConfigurationError
from dvcache.settings import Settings
from tests.support.settings_entries import URL, of_options, parsed, refused, refused_option


class Provider:
    """A provider of changing credentials."""

    def get_credentials(self) -> tuple[str, str]:
        return "u", "s3cr3t"


def test_credential_provider_is_kept_or_made_from_its_class() -> None:
    provider = Provider()
    assert of_options(CREDENTIAL_PROVIDER=provider).endpoints[0].options == {"credential_provider": provider}
    made = of_options(CREDENTIAL_PROVIDER=f"{__name__}.Provider").endpoints[0].options["credential_provider"]
    assert isinstance(made, Provider)


def test_credential_provider_and_password_exclude_each_other() -> None:
    assert "exclude each other" in str(refused_option(CREDENTIAL_PROVIDER=Provider(), PASSWORD="s3cr3t"))


def test_reprs_show_no_credential() -> None:
    settings = [
        of_options(PASSWORD="s3cr3t", USERNAME="s3cr3t"),
        of_options(CONNECTION_POOL_KWARGS={"password": "s3cr3t", "ssl_password": None}),
        parsed("valkeys://s3cr3t:s3cr3t@h/0?ssl_password=s3cr3t"),
        parsed("unix://s3cr3t:s3cr3t@/run/valkey.sock"),
        parsed("memory://s3cr3t:s3cr3t@name/0"),
        of_options(CREDENTIAL_PROVIDER=Provider()),
    ]
    for each in settings:
        assert "s3cr3t" not in f"{each} {each!r} {each.endpoints[0]!r} {each.endpoints[0].name}"
        with Container(each) as container:
            assert "s3cr3t" not in f"{container!r} {container.cache()!r} {container.async_cache()!r}"


@given(st.sampled_from(["valkey", "valkeys", "redis", "unix"]), st.text(max_size=6), st.text(max_size=6))
def test_reprs_show_no_part_of_a_url_that_is_secret(scheme: str, head: str, tail: str) -> None:
    secret = quote(f"{head}s3cr3t{tail}", safe="")
    host = "/run/v.sock" if scheme == "unix" else "h:6379/0"
    for url in (f"{scheme}://u{secret}:{secret}@{host}", f"{scheme}://{host}?password={secret}&username={secret}"):
        made = Settings.of(url)
        with Container(made) as container:
            shown = f"{made!r} {container!r} {container.cache()!r}"
        assert "s3cr3t" not in shown
        assert made.endpoints[0].options["password"] == f"{head}s3cr3t{tail}"


@pytest.mark.parametrize(
    ("given", "topology", "options"),
    [
        (URL, "standalone valkey://127.0.0.1:6379/1", {}),
        ([URL, "valkey://b:1/1"], "replicated valkey://127.0.0.1:6379/1, valkey://b:1/1", {}),
        (
            [f"valkey://n{n}:1" for n in range(5)],
            "cluster valkey://n0:1/0, valkey://n1:1/0, valkey://n2:1/0 and 2 more",
            {"cluster": True},
        ),
        (["valkey://a:1/0", "valkey://b:1/0"], "shards valkey://a:1/0, valkey://b:1/0", {"sharded": True}),
        ("valkey://S/0", "sentinel valkey://S/0?role=primary", {"sentinels": [("h", 1)]}),
    ],
)
def test_reprs_name_alias_topology_servers_serializer_and_prefix(given: Any, topology: str, options: Any) -> None:
    made = Settings.of(given, alias="shop", prefix="p", **options)
    assert repr(made) == f"<Settings of 'shop': {topology}, PickleSerializer, prefix 'p'>"
    container = Container(made)
    assert repr(container.cache()) == f"<Cache of 'shop': {topology}>"
    assert repr(container.async_cache()) == f"<AsyncCache of 'shop': {topology}>"
    container.close()
    assert repr(container) == f"<Container of 'shop': {topology}, PickleSerializer, prefix 'p', closed>"


@given(
    st.sampled_from(
        [
            *("valkey://u:{}@h:port/0", "valkey://u:{}@h:99999/0", "valkey://:{}", "unix://u:{}@", "u:{}@h:6379"),
            *("valky://u:{}@h/0", "valkey://u:{}@[::1/0", "valkey://u:{}@h:0/0", "unix://u:{}@h/run/s.sock"),
            *("valkey://u:{}@h:6379/0?nmae=1", "valkey://h/0?pasword={}"),  # codespell:ignore nmae,pasword
            *("valkey://u:{}@h/0?socket_timeout=x", "valkey://u:{}@h/-1", "valkey://h/?db={}"),
            *("valkey://u:{}@h/0?decode_responses=1&x", "{}"),
            *("valkey://u:{}@h/0,valkey://u:{}@h/1", "valkey://u:{}@h,h2:x/0", "valkey://h?ssl_ca_certs={}"),
        ]
    ),
    st.text(max_size=6),
    st.text(max_size=6) | st.sampled_from(["@", ":", "/", "?", "#", "%", "?a=", "/@", ",x://"]),
)
def test_errors_show_no_part_of_a_password_however_written(template: str, head: str, tail: str) -> None:
    url = template.replace("{}", f"{head}s3cr3t{tail}s3cr3t")
    on_sentinels = {"CLIENT_CLASS": "django_valkey.client.SentinelClient", "SENTINELS": [("h", 26379)]}
    for options in ({}, on_sentinels):
        try:
            Settings.parse({"LOCATION": url, "OPTIONS": options}, alias="pages")
        except ConfigurationError as error:
            shown_text = "".join(traceback.format_exception(error)) + repr(error) + repr(error.__context__)
            assert "s3cr3t" not in shown_text


@pytest.mark.parametrize(
    "option", ["CREDENTIAL_PROVIDER", "CONNECTION_POOL_KWARGS", "SENTINEL_KWARGS", "BASE_CLIENT_KWARGS"]
)
@pytest.mark.parametrize(
    "value", ["s3cr3t", "a.s3cr3t", "redis.s3cr3t", "redis.s3cr3t.Provider", ("u", "s3cr3t"), b"s3cr3t"]
)
def test_errors_show_no_value_of_a_credential_provider(option: str, value: object) -> None:
    given = value if option == "CREDENTIAL_PROVIDER" else {"credential_provider": value}
    more = {"CLIENT_CLASS": "django_valkey.client.SentinelClient", "SENTINELS": [("h", 1)]}
    more = more if option == "SENTINEL_KWARGS" else {"CLUSTER": True} if option == "BASE_CLIENT_KWARGS" else {}
    error = refused({"LOCATION": "valkey://service", "OPTIONS": {option: given, **more}})
    assert error.key == f"OPTIONS[{option!r}]"
    assert "s3cr3t" not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("option", ["CREDENTIAL_PROVIDER", "CONNECTION_POOL_KWARGS"])
@pytest.mark.parametrize("value", [Provider, f"{__name__}.Provider", Provider()])
def test_credential_provider_is_made_from_its_class_in_any_place(option: str, value: object) -> None:
    given = value if option == "CREDENTIAL_PROVIDER" else {"credential_provider": value}
    assert isinstance(of_options(**{option: given}).endpoints[0].options["credential_provider"], Provider)


@pytest.mark.parametrize(
    "url",
    [
        "valkey://:?s3cr3t=",
        "valkey://u:@s3cr3t?s3cr3t@h:6379/0?nmae=1",  # codespell:ignore nmae
        "valkey://:?s3cr3t",
        "valkey://h?s3cr3t=1",
        "unix://:?s3cr3t=1",
    ],
)
def test_errors_name_no_password_as_an_argument(url: str) -> None:
    assert "s3cr3t" not in str(refused({"LOCATION": url}))


@pytest.mark.parametrize(
    "options",
    [
        {"CONNECTION_POOL_KWARGS": {"pasword": "s3cr3t"}},  # codespell:ignore pasword
        {"CONNECTION_POOL_KWARGS": {"port": "s3cr3t"}},
        {"CONNECTION_POOL_KWARGS": {"ssl_cert_reqs": "s3cr3t"}},
        {"SOCKET_TIMEOUT": "s3cr3t"},
        {"PASSWORD": ["s3cr3t"]},
        {"PICKLE_VERSION": "s3cr3t"},
        {"SERIALIZER": f"{__name__}.Leaky", "PASSWORD": "s3cr3t"},
    ],
)
def test_errors_show_no_value_of_an_option(options: dict[str, object]) -> None:
    assert "s3cr3t" not in str(refused({"LOCATION": URL, "OPTIONS": options}))


@pytest.mark.parametrize("option", ["CONNECTION_POOL_KWARGS", "BASE_CLIENT_KWARGS"])
def test_errors_show_no_password_that_is_a_number(option: str) -> None:
    error = refused_option(**{option: {"password": 73219}, "CLUSTER": True})
    assert error.key == f"OPTIONS[{option!r}]"
    assert "73219" not in "".join(traceback.format_exception(error))


class Leaky:
    """A class whose error message contains its argument."""

    def __init__(self, options: dict[str, object]) -> None:
        raise ValueError(options)
