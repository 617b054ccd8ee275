"""Test LOCATION: URLs become endpoints, and a wrong one is an error with a remedy."""

import ssl
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvcache.errors import ConfigurationError
from dvcache.settings import Settings
from dvcache.settings.connection_arguments import accepted
from dvcache.settings.faults import Faults
from dvcache.settings.location import urls
from dvcache.types import Endpoint


def endpoint(url: str, **kwargs: object) -> Endpoint:
    entry = {"LOCATION": url, "OPTIONS": {"CONNECTION_POOL_KWARGS": kwargs}}
    [found] = Settings.parse(entry).endpoints
    return found


def refused(url: object) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        Settings.parse({"LOCATION": url}, alias="pages")
    assert caught.value.key == "LOCATION"
    return caught.value


@pytest.mark.parametrize("url", ["valkey://h/1/2", "memory://h/0//1", "valkey://h/1/2?db=3"])
def test_path_of_two_numbers_is_no_database(url: str) -> None:
    assert "the path of the URL must be one number, the database" in str(refused(url))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("valkey://h", Endpoint(host="h")),
        ("redis://h:7000/2", Endpoint(host="h", port=7000, db=2)),
        ("valkeys://h/0", Endpoint(scheme="valkeys", host="h")),
        ("REDISS://h", Endpoint(scheme="valkeys", host="h")),
        ("valkey://", Endpoint()),
        ("valkey://:7000", Endpoint(port=7000)),
        ("valkey://h/1/", Endpoint(host="h", db=1)),
        ("valkey://h/1?db=3", Endpoint(host="h", db=3)),
        ("valkey://[::1]:7000/1", Endpoint(host="::1", port=7000, db=1)),
        ("unix:///run/valkey.sock?db=4", Endpoint(scheme="unix", path="/run/valkey.sock", db=4)),
        ("unix:///run/my%20valkey.sock", Endpoint(scheme="unix", path="/run/my valkey.sock")),
        ("memory://", Endpoint(scheme="memory", host="")),
        ("memory://store/2", Endpoint(scheme="memory", host="store", db=2)),
        ("embedded://?db=5", Endpoint(scheme="embedded", host="", db=5)),
        ("  valkey://h  ", Endpoint(host="h")),
        ("valkey://h?socket_timeout=2", Endpoint(host="h", timeout=2.0, connect_timeout=2.0)),
        ("valkey://h?socket_connect_timeout=.5", Endpoint(host="h", connect_timeout=0.5)),
        ("valkey://h?max_connections=9", Endpoint(host="h", max_connections=9)),
        ("valkey://h?max_connections=0", Endpoint(host="h")),
        ("valkey://h?is_master=1", Endpoint(host="h")),
        ("valkey://h?db=&", Endpoint(host="h")),
    ],
)
def test_url_is_parsed(url: str, expected: Endpoint) -> None:
    assert endpoint(url) == expected
    assert hash(endpoint(url)) == hash(expected)


@pytest.mark.parametrize("url", ["valkey://[::1]:7000/1", "valkeys://h:7000/0", "unix:///run/v.sock?db=2"])
def test_server_is_named_as_its_url_is_written(url: str) -> None:
    assert endpoint(url).name == url


@given(st.text(min_size=1), st.text(min_size=1))
def test_percent_encoded_user_and_password_may_contain_anything(username: str, password: str) -> None:
    url = f"valkey://{quote(username, safe='')}:{quote(password, safe='')}@h:7000/1"
    assert endpoint(url).options == {"username": username, "password": password}
    entry = {"LOCATION": "valkey://h:7000/1", "OPTIONS": {"USERNAME": username, "PASSWORD": password}}
    assert Settings.parse(entry).endpoints == (endpoint(url),)


def test_url_password_takes_precedence_over_that_of_the_options() -> None:
    options = {"PASSWORD": "p2", "USERNAME": "u2"}
    [full] = Settings.parse({"LOCATION": "valkey://u:p@h", "OPTIONS": options}).endpoints
    [named] = Settings.parse({"LOCATION": "valkey://u@h", "OPTIONS": options}).endpoints
    [bare] = Settings.parse({"LOCATION": "valkey://:p@h", "OPTIONS": options}).endpoints
    assert full.options == {"username": "u", "password": "p"}
    assert named.options == {"username": "u", "password": "p2"}
    assert bare.options == {"username": "u2", "password": "p"}


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("valkey://a, redis://b,unix:///c", ("valkey://a", "redis://b", "unix:///c")),
        ("valkey://u:a,b;c@h/0", ("valkey://u:a,b;c@h/0",)),
        (
            "valkey://u:a;b@h/0;valkey://u:c@h/0 ; valkey://h/1;",
            ("valkey://u:a;b@h/0", "valkey://u:c@h/0", "valkey://h/1"),
        ),
        ("valkey://u:a,b@h/0 , valkey://u:c,,d@h/0,", ("valkey://u:a,b@h/0", "valkey://u:c,,d@h/0")),
        (["valkey://a ", "", "valkey://b,c"], ("valkey://a", "valkey://b,c")),
        (("valkey://a",), ("valkey://a",)),
        ({"valkey://a"}, ("valkey://a",)),
        (frozenset({"valkey://a"}), ("valkey://a",)),
    ],
)
def test_location_is_split_only_between_urls(location: object, expected: tuple[str, ...]) -> None:
    faults = Faults()
    assert urls(location, faults) == expected
    assert not faults


@pytest.mark.parametrize("location", [None, "", " , ", [], [""], ()])
def test_empty_location_is_refused(location: object) -> None:
    assert "a URL is missing" in str(refused(location))


@pytest.mark.parametrize("location", [7, b"valkey://h", {"valkey://h": 1}, [7]])
def test_location_of_another_type_is_refused(location: object) -> None:
    refused(location)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("h:6379", "must start with one of valkey://"),
        ("postgres://h", "must start with one of valkey://"),
        ("valkey:h", "must start with one of valkey://"),
        ("valkey://h:port/0", "host or port"),
        ("valkey://h:70000/0", "host or port"),
        ("valkey://h:0/0", "port must be a number from 1 to 65535"),
        ("valkey://[::1/0", "host or port"),
        ("valkey://a b/0", "the host of the URL"),
        ("valkey://a,b/0", "the host of the URL"),
        ("valkey://h/-1", "db must be a whole number, 0 or more, not -1"),
        ("valkey://h?db=one", "Invalid value for `db`"),
        ("valkey://h/one", "must be the number of a database"),
        ("valkey://h/one?db=1", "must be the number of a database"),
        ("valkeys://h:6379/db", "must be the number of a database"),
        ("valkey://h/a/b", "must be the number of a database"),
        ("valkey://h/1a", "must be the number of a database"),
        ("valkey://h/1.0", "must be the number of a database"),
        ("valkey://h/%61", "must be the number of a database"),
        ("valkey://h/1%2F2", "must be the number of a database"),
        ("memory://name/one", "must be the number of a database"),
        ("valkey://:pa/ss@h/0", "host or port"),
        ("valkey://:1/ss@h/0", "write @ as %40"),
        ("valkey://u:1?ss@h/0", "write @ as %40"),
        ("valkey://u:1?ss=1@h/0", "write @ as %40"),
        ("valkey://u:1#ss@h/0", "write @ as %40"),
        ("unix://run/valkey.sock", "three slashes"),
        ("unix://u:p@", "names no socket"),
        ("valkey://h?socket_timout=1", "did you mean socket_timeout?"),
        ("valkey://h?butter=1", "'butter' is not a connection argument"),
        ("valkey://h?butter=", "'butter' is not a connection argument"),
        ("valkey://h?socket_timeout=0", "socket_timeout must be a positive number"),
        ("valkey://h?socket_timeout=nan", "socket_timeout must be a positive number"),
        ("valkey://h?socket_timeout=x", "Invalid value for `socket_timeout`"),
        ("valkey://h?decode_responses=true", "decode_responses must stay off"),
        ("valkey://h?retry=3", "retry cannot be written in a URL"),
        ("valkey://h?protocol=4", "protocol must be 2 or 3"),
        ("valkey://h?is_master=0", "names only replicas"),
        ("valkey://h?connection_class=x", "connection_class cannot be written in a URL"),
        ("valkey://h?ssl_ca_certs=/ca.pem", "write valkeys://"),
        ("valkeys://h?ssl_cert_reqs=maybe", "'none', 'optional' or 'required'"),
        ("valkeys://h?ssl_check_hostname=maybe", "true or false"),
    ],
)
def test_wrong_url_is_reported_with_the_fault(url: str, reason: str) -> None:
    assert reason in str(refused(url))


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("ssl_cert_reqs=none", {"ssl_cert_reqs": "none"}),
        ("ssl_cert_reqs=CERT_OPTIONAL", {"ssl_cert_reqs": "optional"}),
        ("ssl_check_hostname=no", {"ssl_check_hostname": False}),
        ("ssl_check_hostname=true", {"ssl_check_hostname": True}),
        ("ssl_ca_certs=/etc/ca%20s.pem", {"ssl_ca_certs": "/etc/ca s.pem"}),
        ("ssl_min_version=TLSv1.2", {"ssl_min_version": ssl.TLSVersion.TLSv1_2}),
        ("ssl_validate_ocsp=1", {"ssl_validate_ocsp": True}),
        ("client_name=web&lib_name=x", {"client_name": "web", "lib_name": "x"}),
        ("protocol=3&health_check_interval=30", {"protocol": 3, "health_check_interval": 30.0}),
        ("socket_keepalive=yes&socket_read_size=10", {"socket_keepalive": True, "socket_read_size": 10}),
        ("username=u&password=p%40", {"username": "u", "password": "p@"}),
        ("timeout=3&decode_responses=no", {"timeout": 3.0}),
    ],
)
def test_query_arguments_have_their_types(query: str, options: dict[str, object]) -> None:
    assert endpoint(f"valkeys://h?{query}").options == options


@pytest.mark.parametrize(
    ("kwargs", "options"),
    [
        ({"ssl_cert_reqs": ssl.CERT_NONE}, {"ssl_cert_reqs": "none"}),
        ({"ssl_cert_reqs": "required"}, {"ssl_cert_reqs": "required"}),
        ({"ssl_min_version": ssl.TLSVersion.TLSv1_3}, {"ssl_min_version": ssl.TLSVersion.TLSv1_3}),
        ({"lib_name": None, "username": None}, {"lib_name": None}),
        ({"socket_keepalive_options": {1: 2}}, {"socket_keepalive_options": {1: 2}}),
        ({"decode_responses": False}, {}),
        ({"socket_keepalive_options": {4: 30}}, {"socket_keepalive_options": {4: 30}}),
    ],
)
def test_pool_arguments_have_their_types(kwargs: dict[str, object], options: dict[str, object]) -> None:
    assert endpoint("valkeys://h", **kwargs).options == options


def test_pool_argument_ssl_means_tls() -> None:
    assert endpoint("valkey://h", ssl=True, ssl_cert_reqs="none").scheme == "valkeys"
    assert endpoint("valkey://h", ssl=False).scheme == "valkey"


@pytest.mark.parametrize(
    ("kwargs", "reason"),
    [
        ({"max_connection": 5}, "did you mean max_connections?"),
        ({"max_connections": -1}, "max_connections must be a whole number"),
        ({"max_connections": True}, "max_connections must be a whole number, 0 or more, not True"),
        ({"decode_responses": True}, "decode_responses must stay off"),
        ({"port": 0}, "port must be a number from 1 to 65535"),
        ({"ssl_min_version": 7}, "ssl_min_version must be a TLS version"),
        ({"ssl_min_version": "TLSv9"}, "ssl_min_version must be a TLS version"),
        ({"ssl_min_version": 1.5}, "ssl_min_version must be a TLS version"),
        ({"ssl_cert_reqs": 1.5}, "ssl_cert_reqs must be"),
        ({"client_name": 7}, "client_name must be text, not 7"),
        ({"socket_timeout": True}, "socket_timeout must be"),
        ({"socket_keepalive": 2}, "socket_keepalive must be"),
        ({"connection_class": object}, "object lacks read_response"),
        ({"cache_enabled": True}, "cache_enabled must stay off"),
        ({"client_cache": object()}, "client_cache must stay off"),
    ],
)
def test_wrong_pool_argument_is_reported_with_the_fault(kwargs: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        endpoint("valkeys://h", **kwargs)
    assert caught.value.key == "OPTIONS['CONNECTION_POOL_KWARGS']"
    assert reason in str(caught.value)


def test_arguments_of_both_kinds_of_connections_are_all_known() -> None:
    assert {"ssl_password", "ssl_ca_data", "encoder_class", "command_packer", "path", "socket_type"} <= accepted()
    assert not {"kwargs", "self"} & accepted()


def test_embedded_server_that_cannot_start_is_an_error_of_the_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VALKEY_SERVER", "/no/such/program")
    monkeypatch.delenv("DVCACHE_EMBEDDED", raising=False)
    with pytest.raises(ConfigurationError, match=r"cache 'dev': VALKEY_SERVER: names no program"):
        Settings.parse({"LOCATION": "embedded://"}, alias="dev")
