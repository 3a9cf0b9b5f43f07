"""The published files in an S3 store: written once, or only over the very version that was read.

With `documents.storage` the only place that knows boto3. A key is the log's origin and the file's path, so that a
bucket served as it is shows the log under its own name.
"""

from functools import cache
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from fund.kernel.errors import Broken, OutsideDown
from fund.settings import settings

#: Short waits and three tries in all: a store that hangs costs 15 seconds at worst, not the defaults' two minutes.
_SHORT = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3},
                signature_version="s3v4", s3={"addressing_style": "path"}, max_pool_connections=16,
                request_checksum_calculation="when_required", response_checksum_validation="when_required")

CHECKPOINT = "checkpoint"
#: The last checkpoint that was ever signed, whether or not it was published; nobody but the publisher writes it.
SIGNED = "signed"

_FOR_EVER = "public, max-age=31536000, immutable"
_NEVER = "no-cache"


class Stored(NamedTuple):
    """A file as it is, with the tag by which the store knows this version."""

    data: bytes
    tag: str


@cache
def client(endpoint_url: str, access_key: str, secret_key: str) -> Any:
    """A client of the store; one a process, because making it takes longer than using it."""
    return boto3.session.Session().client("s3", endpoint_url=endpoint_url, aws_access_key_id=access_key,
                                         aws_secret_access_key=secret_key, region_name="eu-west-2", config=_SHORT)


def _store() -> tuple[Any, str]:
    given = settings()
    if not given.s3_endpoint_url:
        raise OutsideDown("no store for files is set up (S3_ENDPOINT_URL)")
    return client(given.s3_endpoint_url, given.s3_access_key, given.s3_secret_key.get_secret_value()), given.log_bucket


def _key(path: str) -> str:
    return f"{settings().log_origin}/{path}"


def make_bucket() -> None:
    """Make the bucket where it is not there yet."""
    store, bucket = _store()
    try:
        store.head_bucket(Bucket=bucket)
    except ClientError:
        _told(lambda: store.create_bucket(Bucket=bucket,
                                          CreateBucketConfiguration={"LocationConstraint": "eu-west-2"}))
    except BotoCoreError as error:
        raise OutsideDown(f"the store does not answer: {type(error).__name__}") from error


def read(path: str) -> Stored | None:
    """A file with its tag, or nothing where there is none. Raises OutsideDown."""
    store, bucket = _store()
    try:
        answer = store.get_object(Bucket=bucket, Key=_key(path))
        return Stored(bytes(answer["Body"].read()), answer["ETag"])
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise _meaning(error) from error
    except BotoCoreError as error:
        raise OutsideDown(f"the store does not answer: {type(error).__name__}") from error


def is_there(path: str) -> bool:
    """Whether there is a file of this name. Raises OutsideDown."""
    store, bucket = _store()
    try:
        store.head_object(Bucket=bucket, Key=_key(path))
        return True
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise _meaning(error) from error
    except BotoCoreError as error:
        raise OutsideDown(f"the store does not answer: {type(error).__name__}") from error


def put_once(path: str, data: bytes, *, content_type: str = "application/octet-stream") -> None:
    """Write a file for ever. The same bytes there already are no error; other bytes raise Broken, and that is an
    alarm: two publishers, or a changed store."""
    if not _put(path, data, content_type, _FOR_EVER, IfNoneMatch="*"):
        there = read(path)
        if there is None or there.data != data:
            raise Broken(f"{path} is in the published log already, with other bytes")


def replace(path: str, data: bytes, over: Stored | None, *, content_type: str = "text/plain; charset=utf-8") -> bool:
    """Write a file over the version that was read (or where there was none); gives whether nobody was faster."""
    condition = {"IfNoneMatch": "*"} if over is None else {"IfMatch": over.tag}
    if _put(path, data, content_type, _NEVER, **condition):
        return True
    there = read(path)
    return there is not None and there.data == data  # our own first try arrived, and only its answer was lost


def put(path: str, data: bytes, *, content_type: str = "text/plain; charset=utf-8") -> None:
    """Write a file that is no part of the log's own promise (a key, a schema, the verifier), over what was there."""
    _put(path, data, content_type, _NEVER)


def _put(path: str, data: bytes, content_type: str, caching: str, **condition: str) -> bool:
    store, bucket = _store()
    try:
        store.put_object(Bucket=bucket, Key=_key(path), Body=data, ContentType=content_type, CacheControl=caching,
                         **condition)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in (409, 412):
            return False
        raise _meaning(error) from error
    except BotoCoreError as error:
        raise OutsideDown(f"the store does not answer: {type(error).__name__}") from error
    return True


def _told(ask: Any) -> None:
    try:
        ask()
    except ClientError as error:
        raise _meaning(error) from error
    except BotoCoreError as error:
        raise OutsideDown(f"the store does not answer: {type(error).__name__}") from error


def _meaning(error: ClientError) -> Exception:
    status, code = error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"].get("Code", "")
    return OutsideDown(f"the store said {status} {code}")
