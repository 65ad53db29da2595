# SPDX-License-Identifier: Apache-2.0
"""The import that AWS documents, with boto3 and openssl, one step per run.

    manual_import.py ENDPOINT create
    manual_import.py ENDPOINT fetch KEY
    manual_import.py ENDPOINT wrap MATERIAL
    manual_import.py ENDPOINT import KEY [DAYS]
    manual_import.py ENDPOINT check KEY
    manual_import.py ENDPOINT delete KEY

Files are those of AWS's guide, in the current folder. Results are one JSON
object on stdout. It works with boto3 from 2022 on, which knows no ImportType.
"""
import datetime
import json
import pathlib
import subprocess
import sys

import boto3


def create(kms):
    key = kms.create_key(Origin="EXTERNAL", KeySpec="SYMMETRIC_DEFAULT", KeyUsage="ENCRYPT_DECRYPT")
    return {"key": key["KeyMetadata"]["Arn"]}


def fetch(kms, key):
    p = kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048")
    pathlib.Path("WrappingPublicKey.bin").write_bytes(p["PublicKey"])
    pathlib.Path("ImportToken.bin").write_bytes(p["ImportToken"])
    return {"key": p["KeyId"], "valid_to": p["ParametersValidTo"].isoformat()}


def wrap(_, material):
    oaep = ["rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha256"]
    subprocess.run(
        ["openssl", "pkeyutl", "-encrypt", "-in", material, "-out", "EncryptedKeyMaterial.bin"]
        + ["-inkey", "WrappingPublicKey.bin", "-keyform", "DER", "-pubin"]
        + [word for option in oaep for word in ("-pkeyopt", option)],
        check=True,
    )
    return {"file": "EncryptedKeyMaterial.bin"}


def import_material(kms, key, days=None):
    expiry = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
    if days:
        valid_to = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=int(days))
        expiry = {"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": valid_to}
    kms.import_key_material(
        KeyId=key,
        EncryptedKeyMaterial=pathlib.Path("EncryptedKeyMaterial.bin").read_bytes(),
        ImportToken=pathlib.Path("ImportToken.bin").read_bytes(),
        **expiry,
    )
    return {"key": key}


def check(kms, key):
    """Describes the key and uses it, as far as its state allows."""
    found = kms.describe_key(KeyId=key)["KeyMetadata"]
    result = {"state": found["KeyState"], "expiration": found.get("ExpirationModel", ""), "error": ""}
    try:
        secret = kms.encrypt(KeyId=key, Plaintext=b"attack at dawn")["CiphertextBlob"]
        result["decrypted"] = kms.decrypt(CiphertextBlob=secret)["Plaintext"].decode()
    except kms.exceptions.KMSInvalidStateException as e:
        result["error"] = e.response["Error"]["Code"]
    return result


def delete(kms, key):
    kms.delete_imported_key_material(KeyId=key)
    return {"key": key}


STEPS = {"create": create, "fetch": fetch, "wrap": wrap, "import": import_material, "check": check, "delete": delete}


def main(endpoint, step, *args):
    kms = boto3.client("kms", endpoint_url=endpoint)
    print(json.dumps(STEPS[step](kms, *args)))


if __name__ == "__main__":
    main(*sys.argv[1:])
