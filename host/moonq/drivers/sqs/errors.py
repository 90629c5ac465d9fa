"""What botocore raises, in our words: translated once, here."""

from __future__ import annotations

from typing import Any

from moonq.errors import (
    Conflict,
    Invalid,
    QueueError,
    QueueNotFound,
    Refused,
    Unavailable,
    Uncertain,
    Unsupported,
)
from moonq.text.extras import client

_CREDENTIALS = {
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSecurity",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "OptInRequired",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_BUSY = {
    "InternalError",
    "InternalFailure",
    "OverLimit",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "QueueDeletedRecently",
    "KmsThrottled",
    "KMS.ThrottlingException",
}
_GONE = {"QueueDoesNotExist", "NonExistentQueue"}
#: How codes begin that tell of the key of an encrypted queue; each has an old name and a new one.
_KEY = ("Kms", "KMS.")
_HINTS = {
    "ExpiredToken": "renew the credentials, such as by `aws sso login`, and start again",
    "RequestExpired": "set the clock of this machine",
    "AccessDenied": "let the credentials do sqs:SendMessage, ReceiveMessage, DeleteMessage, "
    "ChangeMessageVisibility, GetQueueUrl, GetQueueAttributes and PurgeQueue, "
    "and CreateQueue and TagQueue where `create` is true",
}
_KEY_HINT = (
    "let the credentials do kms:GenerateDataKey and kms:Decrypt with the key of the queue, "
    "which must be enabled"
)


def code_of(error: Exception) -> str:
    """Return the code that SQS answered with."""
    response: Any = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def translated(error: Exception, place: str, *, sends: bool) -> QueueError:
    """Return what *error* of a call to *place* means; *sends*: the call stores something."""
    exceptions: Any = client("sqs", "botocore.exceptions")
    response: Any = getattr(error, "response", None)
    if isinstance(error, exceptions.ClientError):
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return answered(code_of(error), str(response["Error"].get("Message", "")), status)
    if isinstance(error, exceptions.ReadTimeoutError | exceptions.ConnectionClosedError):
        if sends:
            return Uncertain(
                f"{place} did not answer: the message may be stored or not",
                hint="publish again with the same id",
            )
        return Unavailable(f"{place} did not answer in time")
    return _unsent(error, place, exceptions)


def _unsent(error: Exception, place: str, exceptions: Any) -> QueueError:
    """Return what *error* means, of a call that SQS has not seen."""
    if isinstance(
        error,
        exceptions.NoCredentialsError
        | exceptions.PartialCredentialsError
        | exceptions.CredentialRetrievalError
        | exceptions.TokenRetrievalError
        | exceptions.SSOError
        | exceptions.NoAuthTokenError
        | exceptions.ProfileNotFound,
    ):
        return Refused(
            f"no credentials for {place}: {error}",
            hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role",
        )
    if isinstance(error, exceptions.NoRegionError | exceptions.UnknownRegionError):
        return Unsupported("no region is set", hint="write `region:`, or set AWS_REGION")
    if isinstance(error, exceptions.SSLError):
        return Refused(f"{place}: {error}", hint="see whether its certificate is to be trusted")
    return Unavailable(f"{place} cannot be reached: {error}", hint="see `endpoint` and `region`")


def answered(code: str, message: str, status: int = 0) -> QueueError:
    """Return what an answer of SQS with this *code* means, of a call or of one entry of a batch."""
    # Its old protocol and its new one put a name in front.
    code = code.removeprefix("AWS.SimpleQueueService.").removeprefix("com.amazonaws.sqs#")
    said = f"SQS says {code}" + (f": {message}" if message and message != code else "")
    bare = code.removesuffix("Exception")
    if code in _BUSY or status >= 500 or status == 429:
        return Unavailable(said, hint="it is tried again, more slowly")
    if code in _CREDENTIALS or code.startswith(_KEY):
        known = _KEY_HINT if code.startswith(_KEY) else _HINTS.get(bare)
        return Refused(said, hint=known or "see the credentials: `aws sts get-caller-identity`")
    if bare in _GONE:
        return QueueNotFound(said, hint="make the queue, or let moonq do it with `create: true`")
    if code == "QueueNameExists":
        return Conflict(said)
    if code == "PurgeQueueInProgress":
        return Unavailable(said, hint="SQS purges a queue once a minute: wait, then purge again")
    return Invalid(said)
