"""Test CREDENTIAL_PROVIDER: text that is no class may be a password, and no error repeats it."""

import pytest

from dvcache import ConfigurationError, Settings
from tests.support.canaries import CANARY


class Lacking:
    """A class that is no provider."""


class Failing:
    """A provider whose construction fails."""

    def __init__(self) -> None:
        raise ValueError(CANARY)

    def get_credentials(self) -> tuple[str]:
        return (CANARY,)


@pytest.mark.parametrize(
    "text",
    [CANARY, f"user:{CANARY}", f"{CANARY}.{CANARY}", f"os.{CANARY}", f"os.path.{CANARY}", f"{CANARY} {CANARY}", ""],
)
def test_credential_provider_given_as_text_is_not_repeated(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is text that names no class") as caught:
        Settings.parse({"LOCATION": "valkey://h", "OPTIONS": {"CREDENTIAL_PROVIDER": text}}, alias="pages")
    assert caught.value.key == "OPTIONS['CREDENTIAL_PROVIDER']"
    chain = [caught.value, caught.value.__cause__, caught.value.__context__]
    assert CANARY not in f"{chain} {[str(each) for each in chain]}"


@pytest.mark.parametrize("provider", [Lacking, Lacking(), 7, ["s3cr3t"]])
def test_credential_provider_of_another_type_names_that_type(provider: object) -> None:
    with pytest.raises(ConfigurationError, match="lacks get_credentials") as caught:
        Settings.parse({"LOCATION": "valkey://h", "OPTIONS": {"CREDENTIAL_PROVIDER": provider}})
    assert CANARY not in str(caught.value)


def test_credential_provider_that_cannot_be_made_hides_its_message() -> None:
    with pytest.raises(ConfigurationError, match="cannot be created: ValueError") as caught:
        Settings.parse({"LOCATION": "valkey://h", "OPTIONS": {"CREDENTIAL_PROVIDER": Failing}})
    assert CANARY not in str(caught.value)
