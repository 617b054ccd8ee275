"""Settings: a CACHES entry is parsed once, completely, without being changed."""

import logging
import math
import pickle
import traceback
import warnings
from collections.abc import Mapping
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from dvcache.compressors import IdentityCompressor, ZlibCompressor
from dvcache.errors import ConfigurationError, ConfigurationWarning
from dvcache.serializers import JSONSerializer, PickleSerializer
from dvcache.settings import Settings
from dvcache.settings.kinds import KINDS
from dvcache.settings.options import KEYS, KNOWN, CacheEntry, Options
from dvcache.types import DEFAULT, Endpoint

URL = "valkey://127.0.0.1:6379/1"


def parsed(location: object = URL, **entry: object) -> Settings:
    return Settings.parse({"LOCATION": location, **entry}, alias="pages")


def of_options(**options: object) -> Settings:
    return parsed(OPTIONS=options)


def refused(entry: Mapping[str, object]) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        Settings.parse(entry, alias="pages")
    assert caught.value.alias == "pages"
    assert str(caught.value).startswith("CACHES['pages']: ")
    return caught.value


def refused_option(**options: object) -> ConfigurationError:
    return refused({"LOCATION": URL, "OPTIONS": options})


def test_an_entry_with_a_location_alone_has_djangos_defaults() -> None:
    settings = Settings.parse({"LOCATION": URL})
    assert settings == Settings(
        endpoints=(Endpoint(host="127.0.0.1", db=1),),
        serializer=PickleSerializer(),
        compressor=IdentityCompressor(),
    )
    assert settings.timeout == 300


def shout(key: str, prefix: str, version: int) -> str:
    return f"{prefix}!{version}!{key}"


def whisper(stored: str) -> str:
    return stored.rpartition("!")[2]


def test_a_full_entry_is_read_whole() -> None:
    settings = Settings.parse(
        {
            "BACKEND": "django_valkey.cache.ValkeyCache",
            "LOCATION": [URL],
            "TIMEOUT": 60,
            "KEY_PREFIX": "app",
            "VERSION": "2",
            "KEY_FUNCTION": shout,
            "REVERSE_KEY_FUNCTION": whisper,
            "max_entries": 300,
            "cull_frequency": 3,
            "OPTIONS": {
                "CLIENT_CLASS": "django_valkey.client.DefaultClient",
                "CONNECTION_FACTORY": "django_valkey.pool.ConnectionFactory",
                "CONNECTION_POOL_CLASS": "valkey.connection.ConnectionPool",
                "CONNECTION_POOL_KWARGS": {"max_connections": 7, "health_check_interval": 30},
                "BASE_CLIENT_CLASS": "valkey.client.Valkey",
                "BASE_CLIENT_KWARGS": {},
                "PARSER_CLASS": "valkey.connection.DefaultParser",
                "USERNAME": "u",
                "PASSWORD": "p",
                "SOCKET_TIMEOUT": 2,
                "SOCKET_CONNECT_TIMEOUT": 0.5,
                "SERIALIZER": "dvcache.serializers.json.JSONSerializer",
                "COMPRESSOR": "dvcache.compressors.zlib.ZlibCompressor",
                "COMPRESS_LEVEL": 9,
                "COMPRESS_MIN_LENGTH": 100,
                "REPLICA_READ_ONLY": True,
                "IGNORE_EXCEPTIONS": True,
                "LOG_IGNORE_EXCEPTIONS": 1,
                "RAISE_UNDECODABLE": True,
                "CLOSE_CONNECTION": False,
                "CLEAR_SCOPE": "prefix",
                "SCAN_COUNT": 50,
                "MAX_ENTRIES": 5,
                "CULL_FREQUENCY": "3",
            },
        },
        alias="pages",
        default_marker=shout,
    )
    [endpoint] = settings.endpoints
    assert settings == Settings(
        alias="pages",
        endpoints=(endpoint,),
        timeout=60,
        key_prefix="app",
        version=2,
        key_function=shout,
        reverse_key_function=whisper,
        serializer=JSONSerializer(),
        compressor=ZlibCompressor(9),
        compress_min_length=100,
        scan_count=50,
        clear_scope="prefix",
        prefixed_hashes=False,
        ignore_exceptions=True,
        log_ignored_exceptions=True,
        raise_undecodable=True,
        default_marker=shout,
    )
    assert endpoint == Endpoint(
        alias="pages",
        host="127.0.0.1",
        db=1,
        max_connections=7,
        timeout=2.0,
        connect_timeout=0.5,
        options={"username": "u", "password": "p", "health_check_interval": 30.0},
    )


@pytest.mark.parametrize(
    ("options", "prefixed"),
    [
        ({}, True),
        ({"CLIENT_CLASS": None}, True),
        ({"CLIENT_CLASS": "django_valkey.client.HashClient"}, True),
        ({"CLIENT_CLASS": "django_valkey.async_cache.client.default.AsyncHashClient"}, True),
        ({"CLIENT_CLASS": "django_valkey.client.DefaultClient"}, False),
        ({"CLIENT_CLASS": "django_valkey.async_cache.client.AsyncHerdClient"}, False),
        ({"CLIENT_CLASS": "django_valkey.client.DefaultClient", "PREFIX_HASHES": True}, True),
        ({"CLIENT_CLASS": "django_valkey.client.HashClient", "PREFIX_HASHES": False}, False),
    ],
)
def test_hashes_are_named_as_the_client_of_django_valkey_names_them(options: Any, prefixed: bool) -> None:
    assert Settings.parse({"LOCATION": URL, "OPTIONS": options}).prefixed_hashes is prefixed


def test_what_was_given_is_never_changed_and_never_shared() -> None:
    entry: dict[str, Any] = {
        "LOCATION": [URL],
        "OPTIONS": {
            "SERIALIZER": f"{__name__}.Greedy",
            "CONNECTION_POOL_KWARGS": {"socket_keepalive_options": {1: 2}},
            "PASSWORD": None,
        },
    }
    before = deepcopy(entry)
    [endpoint] = Settings.parse(entry).endpoints
    assert entry == before
    entry["OPTIONS"]["CONNECTION_POOL_KWARGS"]["socket_keepalive_options"].clear()
    assert endpoint.options == {"socket_keepalive_options": {1: 2}}
    with pytest.raises(TypeError):
        endpoint.options["password"] = "p"  # type: ignore[index]  # that it cannot is what is tested


class Greedy:
    """A user's serializer, which takes the options and changes them."""

    def __init__(self, options: dict[str, Any]) -> None:
        options.clear()
        options["SERIALIZER"] = None

    def dumps(self, value: object, /) -> bytes:
        return pickle.dumps(value)

    def loads(self, data: bytes, /) -> object:
        return pickle.loads(data)


class Modest(Greedy):
    """A user's serializer, which takes no options."""

    @override
    def __init__(self) -> None:
        self.asked = True


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(0.5, 0.5), (60, 60), ("60", 60), ("0.5", 0.5), (None, None), (0, 0), (-1, -1), (timedelta(minutes=1), 60.0)],
)
def test_a_timeout_keeps_its_fraction(given: object, seconds: float | None) -> None:
    assert parsed(TIMEOUT=given).timeout == seconds
    assert parsed(timeout=given, TIMEOUT=7).timeout == seconds


@pytest.mark.parametrize("given", [math.nan, "nan", "soon", "", True, [1]])
def test_a_timeout_that_is_no_number_is_refused(given: object) -> None:
    assert refused({"LOCATION": URL, "TIMEOUT": given}).key == "TIMEOUT"


@pytest.mark.parametrize("given", [True, None, 1.5, "one"])
def test_a_version_is_a_whole_number(given: object) -> None:
    assert refused({"LOCATION": URL, "VERSION": given}).key == "VERSION"
    assert parsed(VERSION=0).version == 0
    assert parsed(VERSION="3").version == 3


def test_a_prefix_is_text() -> None:
    assert refused({"LOCATION": URL, "KEY_PREFIX": 7}).key == "KEY_PREFIX"


def test_functions_are_found_by_dotted_path() -> None:
    assert parsed(KEY_FUNCTION=f"{__name__}.shout").key_function is shout
    assert refused({"LOCATION": URL, "KEY_FUNCTION": 7}).key == "KEY_FUNCTION"
    assert "did you mean JSONDecoder?" in str(refused({"LOCATION": URL, "KEY_FUNCTION": "json.JSONDecodr"}))


@pytest.mark.parametrize("entry", [None, [], "valkey://h", {"LOCATION": URL, "OPTIONS": []}, {7: 1, "LOCATION": URL}])
def test_an_entry_and_its_options_are_mappings_of_names(entry: Any) -> None:
    refused(entry)


# Names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("SOKET_TIMEOUT", "SOCKET_TIMEOUT"),
        ("socket_timeout", "SOCKET_TIMEOUT"),
        ("SERIALISER", "SERIALIZER"),
        ("IGNORE_EXCEPTION", "IGNORE_EXCEPTIONS"),
        ("PASWORD", "PASSWORD"),
        ("parser_class", "PARSER_CLASS"),
    ],
)
def test_a_misspelt_option_names_the_right_one(wrong: str, right: str) -> None:
    error = refused_option(**{wrong: "s3cr3t"})
    assert error.key == f"OPTIONS[{wrong!r}]"
    assert f"did you mean {right}?" in str(error)
    assert "s3cr3t" not in str(error)


@pytest.mark.parametrize(
    ("wrong", "right"), [("LOCATIONS", "LOCATION"), ("KEYPREFIX", "KEY_PREFIX"), ("Version", "VERSION")]
)
def test_a_misspelt_key_names_the_right_one(wrong: str, right: str) -> None:
    assert f"did you mean {right}?" in str(refused({"LOCATION": URL, wrong: 1}))


def test_another_unknown_option_is_a_warning() -> None:
    with pytest.warns(ConfigurationWarning, match=r"CACHES\['pages'\]: OPTIONS\['BUTTER'\] is not known") as caught:
        of_options(BUTTER="s3cr3t")
    assert "s3cr3t" not in str(caught[0].message)


def test_an_option_in_the_wrong_place_is_told_where_it_belongs() -> None:
    with pytest.warns(ConfigurationWarning, match="SERIALIZER is not known and was ignored; it belongs in OPTIONS"):
        parsed(SERIALIZER="json")
    with pytest.warns(ConfigurationWarning, match="it belongs in the entry itself"):
        of_options(TIMEOUT=1)


@pytest.mark.parametrize("serializer", [f"{__name__}.Greedy", Greedy, Modest])
def test_a_class_of_the_users_may_have_options_of_its_own(serializer: object) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        settings = of_options(SERIALIZER=serializer, BUTTER=1, SERIALISER=2)
    assert isinstance(settings.serializer, Greedy)


def test_the_typed_options_are_the_known_ones_and_every_one_is_checked() -> None:
    assert Options.__annotations__.keys() == KNOWN == KINDS.keys()
    assert CacheEntry.__annotations__.keys() == KEYS


def test_a_settings_file_may_declare_its_types() -> None:
    options: Options = {"SERIALIZER": JSONSerializer, "SOCKET_TIMEOUT": 1}
    entry: CacheEntry = {"LOCATION": URL, "TIMEOUT": 60, "OPTIONS": options}
    assert Settings.parse(entry).serializer == JSONSerializer()


# Types of options --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("SOCKET_TIMEOUT", "5", "Socket timeout should be float or integer"),
        ("SOCKET_CONNECT_TIMEOUT", "5", "Socket connect timeout should be float or integer"),
        ("SOCKET_TIMEOUT", -1, "must be a positive number"),
        ("SOCKET_TIMEOUT", math.nan, "must be a positive number"),
        ("PASSWORD", 7, "must be text"),
        ("USERNAME", b"u", "must be text"),
        ("IGNORE_EXCEPTIONS", "False", "must be True or False"),
        ("SCAN_COUNT", 0, "must be a number of keys"),
        ("COMPRESS_MIN_LENGTH", -1, "must be a number of bytes"),
        ("CLEAR_SCOPE", "alias", "must be 'database' or 'prefix'"),
        ("CONNECTION_POOL_KWARGS", [], "must be a mapping"),
        ("MAX_ENTRIES", "many", "must be a whole number"),
        ("CLIENT_CLASS", 7, "must be a dotted path or a class"),
        ("READ_FROM", "replicas", "must be 'replica' or 'primary'"),
        ("COMPRESS_LEVEL", "9", "must be a whole number"),
        ("COMPRESS_BROTLI_MODE", 1, "must be text, not int"),
        ("COMPRESS_LZ4_BLOCK_SIZE", True, "must be 0 or a whole number from 4 to 7"),
        ("COMPRESS_LZMA_FILTERS", {"id": 1}, "must be a list of filters"),
        ("DECOMPRESS_LZMA_MEMLIMIT", 0, "must be a number of bytes, 1 or more"),
        ("COMPRESS_ZSTD_OPTIONS", 3, "must be a mapping"),
        ("SERIALIZER_FALLBACKS", "json", "must be a list of classes, objects or dotted paths"),
        ("SIGNING_KEYS", "s3cr3t", "must be a list of keys"),
        ("MAX_DECOMPRESSED_SIZE", 0, "must be a number of bytes, 1 or more"),
        ("PICKLE_VERSION", 99, "must be -1 to 5"),
        ("PICKLE_VERSION", "four", "must be a whole number"),
        ("CREDENTIAL_PROVIDER", object(), "object lacks get_credentials"),
    ],
)
def test_an_option_of_the_wrong_type_is_refused(name: str, value: object, reason: str) -> None:
    error = refused_option(**{name: value})
    assert reason in str(error)
    assert name in str(error) or name.lower() in str(error)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_none_is_as_if_the_option_were_left_out(name: str) -> None:
    assert of_options(**{name: None}) == parsed()


@pytest.mark.parametrize("value", [0, 0.0, False])
def test_a_falsy_socket_timeout_is_as_if_left_out(value: object) -> None:
    assert of_options(SOCKET_TIMEOUT=value, SOCKET_CONNECT_TIMEOUT=value) == parsed()


def test_timeouts_come_from_the_url_then_the_pool_then_the_options() -> None:
    given = {"SOCKET_TIMEOUT": 1, "CONNECTION_POOL_KWARGS": {"socket_timeout": 2}}
    assert of_options(SOCKET_TIMEOUT=1).endpoints[0].timeout == 1
    assert of_options(SOCKET_TIMEOUT=1).endpoints[0].connect_timeout == 1
    assert of_options(**given).endpoints[0].timeout == 2
    assert parsed(f"{URL}?socket_timeout=3", OPTIONS=given).endpoints[0].timeout == 3
    assert of_options(CONNECTION_POOL_KWARGS={"socket_timeout": None}).endpoints[0].timeout is None


def test_a_blocking_pool_has_the_bound_that_valkey_py_gives_it() -> None:
    path = "valkey.connection.BlockingConnectionPool"
    assert of_options(CONNECTION_POOL_CLASS=path).endpoints[0].max_connections == 50
    kwargs = {"max_connections": 3, "timeout": 1}
    [endpoint] = of_options(CONNECTION_POOL_CLASS=path, CONNECTION_POOL_KWARGS=kwargs).endpoints
    assert endpoint.max_connections == 3
    assert endpoint.options == {"timeout": 1.0}


# Near misses -------------------------------------------------------------------------------------------------------


def test_a_near_miss_of_a_client_names_the_right_one() -> None:
    error = refused_option(CLIENT_CLASS="django_valkey.client.DefaultClien")
    assert "did you mean django_valkey.client.DefaultClient?" in str(error)


# Secrets -----------------------------------------------------------------------------------------------------------


class Provider:
    """Credentials that change."""

    def get_credentials(self) -> tuple[str, str]:
        return "u", "s3cr3t"


def test_a_credential_provider_is_kept_as_it_is_or_made_of_its_class() -> None:
    provider = Provider()
    assert of_options(CREDENTIAL_PROVIDER=provider).endpoints[0].options == {"credential_provider": provider}
    made = of_options(CREDENTIAL_PROVIDER=f"{__name__}.Provider").endpoints[0].options["credential_provider"]
    assert isinstance(made, Provider)


def test_a_credential_provider_and_a_password_exclude_each_other() -> None:
    assert "exclude each other" in str(refused_option(CREDENTIAL_PROVIDER=Provider(), PASSWORD="s3cr3t"))


def test_no_repr_shows_a_credential() -> None:
    settings = [
        of_options(PASSWORD="s3cr3t", USERNAME="s3cr3t"),
        of_options(CONNECTION_POOL_KWARGS={"password": "s3cr3t", "ssl_password": None}),
        parsed("valkeys://s3cr3t:s3cr3t@h/0?ssl_password=s3cr3t"),
        parsed("unix://s3cr3t:s3cr3t@/run/valkey.sock"),
        parsed("memory://s3cr3t:s3cr3t@name/0"),
        of_options(CREDENTIAL_PROVIDER=Provider()),
    ]
    for each in settings:
        assert "s3cr3t" not in f"{each} {each!r} {each.endpoints[0].name}"


@given(
    st.sampled_from(
        [
            *("valkey://u:{}@h:port/0", "valkey://u:{}@h:6379/0?nmae=1", "valkey://u:{}@h:99999/0", "valkey://:{}"),
            *("valky://u:{}@h/0", "valkey://u:{}@[::1/0", "valkey://u:{}@h:0/0", "unix://u:{}@h/run/s.sock"),
            *("valkey://u:{}@h/0?socket_timeout=x", "valkey://h/0?pasword={}", "unix://u:{}@", "u:{}@h:6379"),
            *("valkey://u:{}@h/-1", "valkey://h/?db={}", "valkey://u:{}@h/0?decode_responses=1&x", "{}"),
            *("valkey://u:{}@h/0,valkey://u:{}@h/1", "valkey://u:{}@h,h2:x/0", "valkey://h?ssl_ca_certs={}"),
        ]
    ),
    st.text(max_size=6),
    st.text(max_size=6) | st.sampled_from(["@", ":", "/", "?", "#", "%", "?a=", "/@", ",x://"]),
)
def test_no_error_shows_a_part_of_a_password_however_it_is_written(template: str, head: str, tail: str) -> None:
    url = template.replace("{}", f"{head}s3cr3t{tail}s3cr3t")
    on_sentinels = {"CLIENT_CLASS": "django_valkey.client.SentinelClient", "SENTINELS": [("h", 26379)]}
    for options in ({}, on_sentinels):
        try:
            Settings.parse({"LOCATION": url, "OPTIONS": options}, alias="pages")
        except ConfigurationError as error:
            told = "".join(traceback.format_exception(error)) + repr(error) + repr(error.__context__)
            assert "s3cr3t" not in told


@pytest.mark.parametrize(
    "options",
    [
        {"CONNECTION_POOL_KWARGS": {"pasword": "s3cr3t"}},
        {"CONNECTION_POOL_KWARGS": {"port": "s3cr3t"}},
        {"CONNECTION_POOL_KWARGS": {"ssl_cert_reqs": "s3cr3t"}},
        {"SOCKET_TIMEOUT": "s3cr3t"},
        {"PASSWORD": ["s3cr3t"]},
        {"PICKLE_VERSION": "s3cr3t"},
        {"SERIALIZER": f"{__name__}.Leaky", "PASSWORD": "s3cr3t"},
    ],
)
def test_no_error_shows_an_options_value(options: dict[str, object]) -> None:
    assert "s3cr3t" not in str(refused({"LOCATION": URL, "OPTIONS": options}))


class Leaky:
    """Says too much when it fails."""

    def __init__(self, options: dict[str, object]) -> None:
        raise ValueError(options)


# Components --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("json", "is no dotted path"),
        ("nowhere.Serializer", "there is no module 'nowhere'"),
        ("dvcache.serializers.jsn.JSONSerializer", "there is no module 'dvcache.serializers.jsn'"),
        ("dvcache.serializers.json.JsonSerialiser", "did you mean JSONSerializer?"),
        ("missing_package_user.Serializer", "pip install 'dvcache[msgpack]'"),
        ("broken_module.Serializer", "'broken_module' cannot be imported: RuntimeError"),
        ("json.JSONDecoder", "JSONDecoder lacks dumps and loads"),
    ],
)
def test_a_serializer_that_cannot_be_had_says_why_and_what_to_do(
    path: str, reason: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "missing_package_user.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'msgpack.c'\", name='msgpack.c')\n"
    )
    (tmp_path / "broken_module.py").write_text("raise RuntimeError('s3cr3t')\n")
    monkeypatch.syspath_prepend(tmp_path)
    error = refused_option(SERIALIZER=path)
    assert error.key == "OPTIONS['SERIALIZER']"
    assert reason in str(error)


@pytest.mark.parametrize("serializer", [pickle, JSONSerializer(), PickleSerializer(2)])
def test_a_serializer_may_be_an_object(serializer: object) -> None:
    assert of_options(SERIALIZER=serializer).serializer is serializer


class Wanting:
    """Needs a package when it is made."""

    def __init__(self, **_: object) -> None:
        raise ModuleNotFoundError(name="lz4.frame")


def test_a_package_that_is_missed_when_a_class_is_made_is_named() -> None:
    assert "pip install 'dvcache[lz4]'" in str(refused_option(COMPRESSOR=Wanting))


def test_the_default_marker_is_ours_unless_a_framework_has_its_own() -> None:
    assert parsed().default_marker is DEFAULT
    assert logging.getLogger(parsed().logger).name == "dvcache"
