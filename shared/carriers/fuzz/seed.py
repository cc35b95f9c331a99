#!/usr/bin/env python3
"""Makes the first corpus of both targets from events/carriers: each sample as the target reads it, under the carrier's number.

Usage: seed.py EVENTS CORPUS
"""

import base64
import json
import pathlib
import re
import sys

# As in domain::Carrier::ALL.
CARRIERS = [
    "fedex",
    "ups",
    "dhl",
    "correos",
    "correos-express",
    "royal-mail",
    "dpd",
    "easypost",
    "aftership",
    "shippo",
]

# Proofs in the right form and of no worth: the fuzzer need not find the form by itself.
BASE64 = base64.b64encode(bytes(32)).decode()
HEX = "00" * 32
PROOFS = {
    "fedex": [("fdx-signature", BASE64)],
    "ups": [("credential", "credential"), ("Authorization", "Bearer token")],
    "dhl": [("X-DHL-Hook-Token", "token")],
    "correos": [("clientID", "9d1f6f0b2c7e4a55"), ("clientSecret", "secret")],
    "easypost": [("X-Hmac-Signature", f"hmac-sha256-hex={HEX}")],
    "aftership": [("aftership-hmac-sha256", BASE64)],
    "shippo": [("Shippo-Auth-Signature", f"t=1795168800,v1={HEX}")],
}


def main(events: pathlib.Path, corpus: pathlib.Path) -> None:
    names = set()
    for number, carrier in enumerate(CARRIERS):
        for sample in sorted((events / carrier).glob("[0-9]*")):
            body = sample.read_bytes()
            names.update(re.findall(rb"""["<]([A-Za-z][A-Za-z0-9_]{2,})[">]""", body))
            query = b""
            if carrier == "dpd" and b'"query_string"' in body:
                query = body = json.loads(body)["query_string"].encode()
            write(corpus / "parsers", carrier, sample, bytes([number]) + body)
            headers = b"".join(
                f"{name}: {value}\n".encode() for name, value in PROOFS.get(carrier, [])
            )
            lines = b"segment\n" + (query or b"token=token") + b"\n" + headers + b"\n"
            write(corpus / "verifiers", carrier, sample, bytes([number]) + lines + body)
    words = [b'"%s"' % name for name in sorted(names)]
    (corpus / "names.dict").write_bytes(b"\n".join(words) + b"\n")


def write(folder: pathlib.Path, carrier: str, sample: pathlib.Path, seed: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{carrier}-{sample.stem}").write_bytes(seed)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
