"""Test settings of TLS: the checks of certificates, and contradictions between them."""

import ssl
import warnings
from typing import Any

import pytest

from dvcache import ConfigurationError, Settings
from dvcache.types import Endpoint

TLS = "valkeys://127.0.0.1:6379/0"
ON_SENTINELS = {"CLIENT_CLASS": "django_valkey.client.SentinelClient", "SENTINELS": [("127.0.0.1", 26379)]}
NOTHING = [None, False, 0, ssl.CERT_NONE, "none", "None", "NONE", "CERT_NONE", "ssl.CERT_NONE", "0", "false", "False"]


def endpoint(location: str = TLS, **options: Any) -> Endpoint:
    with warnings.catch_warnings(action="error"):
        return Settings.parse({"LOCATION": location, "OPTIONS": options}).endpoints[0]


def refused(location: str = TLS, **options: Any) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        endpoint(location, **options)
    return caught.value


@pytest.mark.parametrize("value", NOTHING, ids=repr)
@pytest.mark.parametrize("place", ["URL", "CONNECTION_POOL_KWARGS", "BASE_CLIENT_KWARGS", "SENTINEL_KWARGS"])
def test_ssl_cert_reqs_without_a_check_is_none_everywhere(place: str, value: object) -> None:
    given = {"ssl_cert_reqs": value}
    if place == "URL":
        found = endpoint(f"{TLS}?ssl_cert_reqs={value}").options
    elif place == "SENTINEL_KWARGS":
        kwargs = {"ssl": True, **given}
        found = endpoint("valkeys://service/0", SENTINEL_KWARGS=kwargs, **ON_SENTINELS).sentinel_options
    else:
        found = endpoint(CLUSTER=place.startswith("BASE"), **{place: given}).options
    assert found["ssl_cert_reqs"] == "none"


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (True, "required"),
        (2, "required"),
        (ssl.CERT_REQUIRED, "required"),
        ("CERT_OPTIONAL", "optional"),
        (1, "optional"),
    ],
    ids=repr,
)
def test_ssl_cert_reqs_with_a_check_has_one_spelling(value: object, read: str) -> None:
    assert endpoint(CONNECTION_POOL_KWARGS={"ssl_cert_reqs": value}).options["ssl_cert_reqs"] == read


@pytest.mark.parametrize("value", ["nothing", 3, -1, 1.5, [], "s3cr3t"], ids=repr)
def test_ssl_cert_reqs_of_another_kind_is_refused(value: object) -> None:
    error = refused(CONNECTION_POOL_KWARGS={"ssl_cert_reqs": value})
    assert "ssl_cert_reqs must be" in str(error)
    assert "s3cr3t" not in str(error)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"ssl_cert_reqs": None, "ssl_check_hostname": True}, "ssl_check_hostname contradicts ssl_cert_reqs"),
        ({"ssl_cert_reqs": 0, "ssl_validate_ocsp": True}, "ssl_validate_ocsp contradicts ssl_cert_reqs"),
        ({"ssl_validate_ocsp": True, "ssl_validate_ocsp_stapled": True}, "_stapled exclude each other"),
        ({"ssl_keyfile": "/k.pem"}, "ssl_keyfile needs ssl_certfile"),
        ({"socket_keepalive": False, "socket_keepalive_options": {4: 1}}, "contradicts socket_keepalive"),
    ],
)
@pytest.mark.parametrize("place", ["CONNECTION_POOL_KWARGS", "BASE_CLIENT_KWARGS", "SENTINEL_KWARGS"])
def test_contradicting_arguments_are_refused_where_they_are_read(
    place: str, arguments: dict[str, object], names: str
) -> None:
    if place == "SENTINEL_KWARGS":
        error = refused("valkeys://service/0", SENTINEL_KWARGS={"ssl": True, **arguments}, **ON_SENTINELS)
    else:
        error = refused(CLUSTER=place.startswith("BASE"), **{place: arguments})
    assert names in str(error)


def test_contradicting_arguments_of_a_url_and_an_option_are_refused() -> None:
    error = refused(f"{TLS}?ssl_check_hostname=true", CONNECTION_POOL_KWARGS={"ssl_cert_reqs": None})
    assert "contradicts ssl_cert_reqs" in str(error)


def test_tls_check_hostname_holds_for_servers_sentinels_and_nodes() -> None:
    assert endpoint(TLS_CHECK_HOSTNAME=True).options["ssl_check_hostname"] is True
    assert endpoint(TLS_CHECK_HOSTNAME=True, CLUSTER=True).options["ssl_check_hostname"] is True
    of_service = endpoint("valkeys://service/0", TLS_CHECK_HOSTNAME=True, SENTINEL_KWARGS={"ssl": True}, **ON_SENTINELS)
    assert of_service.options["ssl_check_hostname"] is True
    assert of_service.sentinel_options["ssl_check_hostname"] is True
    assert "ssl_check_hostname" not in endpoint().options


@pytest.mark.parametrize(
    ("location", "options", "names"),
    [
        ("valkey://h", {}, "needs TLS"),
        (TLS, {"CONNECTION_POOL_KWARGS": {"ssl_cert_reqs": None}}, "contradicts ssl_cert_reqs"),
        (f"{TLS}?ssl_check_hostname=false", {}, "contradicts ssl_check_hostname"),
    ],
)
def test_tls_check_hostname_that_contradicts_another_setting_is_refused(
    location: str, options: dict[str, Any], names: str
) -> None:
    error = refused(location, TLS_CHECK_HOSTNAME=True, **options)
    assert error.key == "OPTIONS['TLS_CHECK_HOSTNAME']"
    assert names in str(error)
