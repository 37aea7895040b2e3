"""Exceptions and warnings of albert_fast. Every message says what happened, why, and what to do about it."""

from __future__ import annotations


class AlbertFastError(Exception):
    """Base class of all errors that albert_fast raises on purpose."""


class InputError(AlbertFastError, ValueError, TypeError):
    """An input that cannot be read: not a string, None, a lone surrogate, a wrong shape."""


class ParameterError(AlbertFastError, ValueError, TypeError):
    """A parameter outside its allowed values, or one that does not exist."""


class WiringError(AlbertFastError, ValueError, TypeError):
    """A stage of a pipeline asks for a column that is not there, is of another type, or would be made twice."""


class CorruptModelError(AlbertFastError, ValueError):
    """A model file that is truncated, inconsistent or hostile."""


class ModelNotFoundError(AlbertFastError, OSError):
    """A model name that is not known, or a folder or file that is not there."""


class WriteError(AlbertFastError, OSError):
    """A folder or file that cannot be written: a full disk, no permission; `errno` is the system's."""


class MissingDependencyError(AlbertFastError, ImportError):
    """A package that the call needs is not installed, or is broken."""


class DeviceError(AlbertFastError, RuntimeError):
    """The device that was asked for cannot do the work."""


class ForkError(AlbertFastError, RuntimeError):
    """A model was used in a forked child of the process that loaded it."""


class TruncationWarning(UserWarning):
    """Some pieces were not read; the message counts them."""


class VocabularyWarning(UserWarning):
    """A vocabulary and weights that may not belong together."""


class ForeignGraphWarning(UserWarning):
    """An ONNX graph could not be re-packed and is run as it is."""
