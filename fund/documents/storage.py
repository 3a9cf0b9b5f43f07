"""Files in an S3 store. A key is a random id; an object is written once.

With the published log's own storage the only place that knows boto3.
"""

import base64
import hashlib
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from fund.kernel.errors import Broken, OutsideDown
from fund.settings import settings
from fund.transparency.storage import client


def _store() -> tuple[Any, str]:
    given = settings()
    if not given.s3_endpoint_url:
        raise OutsideDown("no store for files is set up (S3_ENDPOINT_URL)")
    return client(given.s3_endpoint_url, given.s3_access_key, given.s3_secret_key.get_secret_value()), given.s3_bucket


def put(key: str, data: bytes, *, content_type: str) -> None:
    """Write an object that is not there yet. Raises Broken when it is, OutsideDown when the store does not answer."""
    store, bucket = _store()
    try:
        store.put_object(Bucket=bucket, Key=key, Body=data, ContentType=content_type, IfNoneMatch="*",
                         ContentDisposition="attachment", ContentMD5=_md5(data))
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 412 and read(key) == data:
            return  # our own first try arrived, and only its answer was lost
        raise _meaning(error) from error
    except BotoCoreError as error:
        raise OutsideDown(f"the store does not answer: {type(error).__name__}") from error


def read(key: str) -> bytes:
    """An object whole. Raises Broken when it is gone, OutsideDown when the store does not answer."""
    store, bucket = _store()
    try:
        return bytes(store.get_object(Bucket=bucket, Key=key)["Body"].read())
    except ClientError as error:
        raise _meaning(error) from error
    except BotoCoreError as error:
        raise OutsideDown(f"the store does not answer: {type(error).__name__}") from error


def remove(key: str) -> None:
    """Remove an object; one that is not there is no error."""
    store, bucket = _store()
    try:
        store.delete_object(Bucket=bucket, Key=key)
    except (ClientError, BotoCoreError) as error:
        raise OutsideDown(f"the store does not answer: {type(error).__name__}") from error


def _meaning(error: ClientError) -> Exception:
    """A store that is busy or refuses us is outside; an object that should be there or should not be is our own."""
    status, code = error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"].get("Code", "")
    if code == "NoSuchKey":
        return Broken("a file is gone from the store")
    if status == 412:
        return Broken("another file has this key in the store")
    return OutsideDown(f"the store said {status} {code}")


def _md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
