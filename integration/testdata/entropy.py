# SPDX-License-Identifier: Apache-2.0
"""Reproduces the vectors of material/entropy with Python's standard library."""

import functools
import hashlib
import hmac
import json
import struct
import sys


def frame(data):
    return struct.pack(">Q", len(data)) + data


def encode(inputs):
    return b"".join(frame(i["kind"].encode()) + frame(content(i)) for i in inputs)


def content(i):
    return bytes.fromhex(i["bytes"]) if i["kind"] == "file" else i["throws"].encode()


def commitment(inputs):
    return hashlib.sha256(b"keymat/mix/commitment/v1" + encode(inputs)).hexdigest()


def extract(drawn, inputs, size):
    digest = hashlib.sha256 if size <= 32 else hashlib.sha512
    return hmac.new(b"keymat/mix/extract/v1", frame(drawn) + encode(inputs), digest).digest()[:size]


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def mix_xor(drawn, inputs):
    return xor(drawn, hashlib.sha256(b"keymat/mix/xor/v1" + encode(inputs)).digest())


def check_value(secret):
    return "hmac:" + hmac.new(secret, b"keymat/kcv/v1", hashlib.sha256).hexdigest()[:10]


def combine(components):
    return functools.reduce(xor, components)


def compute(vector):
    """Fills in everything that follows from the rest."""
    if vector["method"] == "components":
        parts = [bytes.fromhex(c) for c in vector["components"]]
        return {"check_values": [check_value(p) for p in parts], "material": combine(parts).hex()}
    drawn, inputs = bytes.fromhex(vector["drawn"]), vector["inputs"]
    made = mix_xor(drawn, inputs) if vector["method"] == "xor" else extract(drawn, inputs, len(drawn) // 2)
    return {"commitment": commitment(inputs), "material": made.hex()}


def main(name):
    with open(name) as f:
        vectors = json.load(f)["vectors"]
    for vector in vectors:
        for field, want in compute(vector).items():
            if vector[field] != want:
                sys.exit(f"{vector['name']}: {field} is {want}, not {vector[field]}")
    print(len(vectors), "vectors")


if __name__ == "__main__":
    main(sys.argv[1])
