"""Names of caches and of their settings in messages."""


def place(alias: str, where: str = "") -> str:
    """Return the name of a cache in messages: `where`, as a framework names its settings, or by its alias."""
    return where or (f"cache {alias!r}" if alias else "cache")


def place_of_settings(alias: str, where: str = "") -> str:
    """Return the name of a cache's settings in messages, without the alias that is used if none is given."""
    return place(alias, where or ("dvcache settings" if alias in {"", "default"} else ""))
