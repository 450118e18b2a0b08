"""AWS's own client (botocore) as an oracle: one JSON object per line, one answer per line.

sign      the headers that botocore signs a request with, at a given moment
validate  what its model of the API says of the input of an operation; empty if nothing
call      an operation by boto3, over the network: {"output": ...} or {"code": ..., "message": ...}
"""

import base64
import datetime
import json
import sys

import boto3
import botocore
import botocore.loaders
import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

_load = botocore.loaders.Loader.load_service_model


def _json_only(self, service, type_name, api_version=None):
    """The model without CBOR: what is compared is the JSON protocol."""
    model = _load(self, service, type_name, api_version)
    protocols = model.get("metadata", {}).get("protocols", [])
    if "json" in protocols:
        metadata = {**model["metadata"], "protocols": ["json"], "protocol": "json"}
        model = {**model, "metadata": metadata}
    return model


botocore.loaders.Loader.load_service_model = _json_only
SESSION = botocore.session.get_session()


def credentials(keys):
    return Credentials(keys["accessKeyId"], keys["secretAccessKey"], keys.get("sessionToken"))


def sign(asked):
    auth = SigV4Auth(credentials(asked["keys"]), asked["service"], asked["region"])
    body = asked["body"].encode()
    request = AWSRequest(asked["method"], asked["url"], headers=asked["headers"], data=body)
    request.context["timestamp"] = asked["date"]
    auth._modify_request_before_signing(request)
    canonical = auth.canonical_request(request)
    signature = auth.signature(auth.string_to_sign(request, canonical), request)
    auth._inject_signature_to_request(request, signature)
    return {"headers": dict(request.headers.items()), "canonical": canonical}


def decoded(value, shape):
    """JSON as the protocol writes it, as the values that the model is checked against."""
    if value is None:
        return None
    if shape.type_name == "structure" and isinstance(value, dict):
        return {
            name: decoded(member, shape.members[name]) if name in shape.members else member
            for name, member in value.items()
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [decoded(member, shape.member) for member in value]
    if shape.type_name == "blob":
        return base64.b64decode(value, validate=True)
    if shape.type_name == "timestamp":
        return datetime.datetime.fromtimestamp(value, datetime.timezone.utc)
    return value


def validate(asked):
    model = SESSION.get_service_model(asked["service"])
    operation = model.operation_model(asked["operation"])
    shape = operation.output_shape if asked.get("output") else operation.input_shape
    unknown = [name for name in asked["value"] if name not in shape.members]
    report = ParamValidator().validate(decoded(asked["value"], shape), shape)
    return {"problem": "; ".join([report.generate_report(), *unknown]).strip("; ")}


def call(asked):
    keys = asked.get("keys") or {}
    client = boto3.client(
        asked["service"],
        region_name=asked["region"],
        endpoint_url=asked["endpoint"],
        verify=asked["verify"],
        aws_access_key_id=keys.get("accessKeyId", "none"),
        aws_secret_access_key=keys.get("secretAccessKey", "none"),
        aws_session_token=keys.get("sessionToken"),
        config=Config(retries={"total_max_attempts": 1}),
    )
    operation = client.meta.service_model.operation_model(asked["operation"])
    method = getattr(client, botocore.xform_name(asked["operation"]))
    try:
        output = method(**decoded(asked["input"], operation.input_shape))
    except ClientError as error:
        return {"code": error.response["Error"]["Code"], "message": error.response["Error"]["Message"]}
    output.pop("ResponseMetadata")
    return {"output": output}


if len(sys.argv) > 1 and sys.argv[1] == "version":
    print(f"botocore {botocore.__version__}")
    sys.exit(0)

OPERATIONS = {"sign": sign, "validate": validate, "call": call}
for line in sys.stdin:
    question = json.loads(line)
    try:
        answer = OPERATIONS[question["ask"]](question)
    except Exception as error:  # the test that asked shows it
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer, default=str), flush=True)
