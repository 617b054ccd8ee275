"""Test the signed serializer: an entry without a valid signature is never read, and keys can be rotated."""

import hmac
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvcache import Container, Settings
from dvcache.codec import ValueCodec
from dvcache.compressors import IdentityCompressor, ZlibCompressor
from dvcache.errors import ConfigurationError
from dvcache.serializers import JSONSerializer, PickleSerializer, SignedSerializer
from dvcache.serializers.signed import InvalidSignature

VALUE = {"a": [1, "b", None]}
executed: list[str] = []


def execute(what: str) -> None:
    executed.append(what)


class Bomb:
    """An object that runs code when it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return execute, ("boom",)


@pytest.fixture(autouse=True)
def nothing_executed() -> None:
    executed.clear()


def signed(*keys: str | bytes) -> SignedSerializer:
    return SignedSerializer(PickleSerializer(), keys)


def test_raw_pickle_in_the_store_never_executes() -> None:
    bomb = pickle.dumps(Bomb())
    options = {"SERIALIZER": "dvcache.serializers.SignedSerializer", "SIGNING_KEYS": ["secret"]}
    forged = [bomb, ZlibCompressor().compress(bomb), b"S1" + bytes(32) + bomb]
    forged.append(b"S1" + hmac.digest(b"secret", bomb, "sha256") + bomb)
    forged.append(signed("guess").dumps(Bomb()))
    for compressor in ("identity.IdentityCompressor", "zlib.ZlibCompressor", "zstd.ZstdCompressor"):
        settings = Settings.parse(
            {"LOCATION": "memory://", "OPTIONS": {**options, "COMPRESSOR": f"dvcache.compressors.{compressor}"}}
        )
        with Container(settings) as container:
            for entry in forged:
                container.client().execute((("SET", ":1:k", entry),))
                assert container.cache().get("k", "a miss") == "a miss"
                assert container.cache().get_many(["k"]) == {}
            container.cache().set("k", VALUE)
            assert container.cache().get("k") == VALUE
    assert executed == []
    # proves that the bomb works: a serializer without a signature runs it
    PickleSerializer().loads(bomb)
    assert executed == ["boom"]


@given(st.integers(0), st.integers(1, 255))
def test_signed_entry_with_a_changed_byte_is_refused(position: int, change: int) -> None:
    serializer = signed("secret")
    data = bytearray(serializer.dumps(VALUE))
    data[position % len(data)] ^= change
    with pytest.raises(InvalidSignature):
        serializer.loads(bytes(data))


@given(st.integers(0, 60))
def test_signed_entry_that_is_truncated_is_refused(length: int) -> None:
    data = signed("secret").dumps(VALUE)
    with pytest.raises(InvalidSignature):
        signed("secret").loads(data[:-1][:length])


def test_keys_are_rotated_without_a_miss() -> None:
    old, both, new = signed("old"), signed("new", "old"), signed(b"new")
    assert both.loads(old.dumps(VALUE)) == VALUE
    assert new.loads(both.dumps(VALUE)) == VALUE
    with pytest.raises(InvalidSignature):
        old.loads(both.dumps(VALUE))
    with pytest.raises(InvalidSignature):
        new.loads(old.dumps(VALUE))


def test_signed_entry_of_one_serializer_is_never_read_by_another() -> None:
    written = SignedSerializer(JSONSerializer(), ["secret"]).dumps("cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(InvalidSignature):
        signed("secret").loads(written)


def test_signature_is_specific_to_this_use_of_the_key() -> None:
    body = PickleSerializer().dumps(VALUE)
    assert signed("secret").dumps(VALUE) != b"S1" + hmac.digest(b"secret", body, "sha256") + body
    assert len(signed("secret").dumps(VALUE)) == len(body) + 34


@pytest.mark.parametrize("keys", [[], [""], ["a", b""], None])
def test_missing_key_is_an_error_that_shows_no_key(keys: object) -> None:
    options = {"SERIALIZER": "dvcache.serializers.SignedSerializer", "SIGNING_KEYS": keys}
    with pytest.raises(ConfigurationError, match="create one with: python") as caught:
        Settings.parse({"LOCATION": "memory://", "OPTIONS": options}, alias="pages")
    assert (caught.value.alias, caught.value.key) == ("pages", "OPTIONS['SIGNING_KEYS']")


def test_keys_are_in_no_repr() -> None:
    options = {"SERIALIZER": "dvcache.serializers.SignedSerializer", "SIGNING_KEYS": ["s3cr3t"]}
    settings = Settings.parse({"LOCATION": "memory://", "OPTIONS": options})
    assert "s3cr3t" not in repr(settings)
    assert "SignedSerializer" in repr(settings)


def test_unsigned_entries_are_read_by_a_fallback_during_a_migration() -> None:
    codec = ValueCodec(signed("secret"), IdentityCompressor(), fallbacks=(JSONSerializer(),))
    assert codec.loads(JSONSerializer().dumps(VALUE)) == VALUE
    assert codec.loads(pickle.dumps(VALUE), "a miss") == "a miss"
    assert codec.undecodable == 1
