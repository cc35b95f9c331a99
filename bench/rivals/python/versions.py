"""Prints what the rival runs on: interpreter and packages, one line each."""

import platform
from importlib.metadata import version

print("python", platform.python_version())
for package in ("boto3", "aws-lambda-powertools", "jinja2", "awslambdaric"):
    print(package, version(package))
