#!/bin/bash
# Prepares the compose deployment; safe to run again.
set -euo pipefail

# In the image it lies beside this file.
bash "$(dirname "$0")/migrate.sh"

python - <<'PYTHON'
import json, os, pathlib
import boto3, botocore.exceptions

logins = pathlib.Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
logins.touch(mode=0o600)
logins.write_text(json.dumps({"admin": os.environ["ADMIN_PASSWORD"]}))

root = os.environ["CAPTIONS_ROOT"]
if not root.startswith("s3://"):
    if not os.access(root.removeprefix("file://"), os.W_OK):
        raise SystemExit(
            f"CAPTIONS_ROOT is {root}, no folder that the containers can write: mount it there "
            "into every service of docker-compose.yaml that has CAPTIONS_ROOT, or name a bucket"
        )
    raise SystemExit(0)
bucket = root.removeprefix("s3://").partition("/")[0]
store = boto3.client("s3", endpoint_url=os.environ["CAPTIONS_S3_ENDPOINT_URL"] or None)
try:
    store.head_bucket(Bucket=bucket)
except botocore.exceptions.ClientError as error:
    if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
        raise SystemExit(f"bucket {bucket} cannot be used: {error}")
    store.create_bucket(Bucket=bucket)
PYTHON
