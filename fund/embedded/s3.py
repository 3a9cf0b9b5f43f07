"""An embedded file store that speaks S3: `weed mini` of SeaweedFS, from a wheel."""

import http.client
import sys
from pathlib import Path

from fund.embedded.process import Child

#: What the parts of the store listen on: this many ports from the first, and each again 10,000 higher.
PORTS = 5


def child(folder: Path, port: int, *, bucket: str, access_key: str, secret_key: str) -> Child:
    """The store on loopback, S3 on `port` and its inner parts on the four ports above it.

    Its inner parts talk on a second port 10,000 above the first, so `port` stays below 45,000. It reports to nobody.
    """
    folder.mkdir(parents=True, exist_ok=True)
    s3, master, volume, filer, admin = range(port, port + PORTS)
    flags = {
        "dir": folder, "ip": "127.0.0.1", "ip.bind": "127.0.0.1", "master.telemetry": "false", "webdav": "false",
        "admin.ui": "false", "s3.port.iceberg": 0, "s3.port.lance": 0, "bucket": bucket,
        "master.volumeSizeLimitMB": 64, "volume.index": "leveldb", "volume.max": 64, "s3.cacheCapacityMB": 4,
        "s3.readerCacheSizeMB": 16, "volume.readBufferSizeMB": 1, "volume.preStopSeconds": 0,
        "filer.localSocket": folder / "filer.sock", "s3.localSocket": folder / "s3.sock",
        "s3.allowDeleteBucketNotEmpty": "false", "s3.autoCreateBucket": "false",
    }
    for name, number in {"s3": s3, "master": master, "volume": volume, "filer": filer, "admin": admin}.items():
        flags[f"{name}.port"] = number
        flags[f"{name}.port.grpc"] = number + 10_000
    weed = Path(sys.executable).parent / "weed"
    command = [str(weed), "mini", *(f"-{name}={value}" for name, value in flags.items())]
    environment = {"AWS_ACCESS_KEY_ID": access_key, "AWS_SECRET_ACCESS_KEY": secret_key,
                   # Go keeps what it once used; these two make it give back early on a small machine.
                   "GOMEMLIMIT": "96MiB", "GOGC": "50"}
    listens = [*range(port, port + PORTS), *range(port + 10_000, port + 10_000 + PORTS)]
    return Child("s3", "the file store", command, lambda: takes_files(s3, filer, bucket), environment=environment,
                 ports=listens, patience=60)


def url(port: int) -> str:
    """The address for S3_ENDPOINT_URL."""
    return f"http://127.0.0.1:{port}"


def takes_files(s3: int, filer: int, bucket: str) -> bool:
    """Whether a file can really be kept: the gateway answers long before the inner parts have found each other."""
    return (_says("PUT", filer, "/ready/probe", b"ready") and _says("GET", filer, f"/buckets/{bucket}/")
            and _says("GET", s3, "/", refused_too=True))


def _says(verb: str, port: int, path: str, body: bytes | None = None, *, refused_too: bool = False) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(verb, path, body=body)
        return connection.getresponse().status < (500 if refused_too else 300)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
