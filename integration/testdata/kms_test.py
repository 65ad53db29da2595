# SPDX-License-Identifier: Apache-2.0
"""boto3 against a KMS in which its account has no keys yet.

Works with boto3 from 2022 on, which has to be told the endpoint.
"""
import datetime
import hashlib
import os
import unittest
import uuid

import boto3
import botocore.exceptions

DAWN = b"attack at dawn"


def now():
    return datetime.datetime.now(datetime.timezone.utc)


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.kms = boto3.client("kms", endpoint_url=os.environ["AWS_ENDPOINT_URL_KMS"])

    def create(self, **request):
        return self.kms.create_key(**request)["KeyMetadata"]["Arn"]

    def refuses(self, name, message, operation, **request):
        """Demands client.exceptions.NAME where the model has it, with just this message."""
        kind = getattr(self.kms.exceptions, name, botocore.exceptions.ClientError)
        with self.assertRaises(kind) as caught:
            getattr(self.kms, operation)(**request)
        answer = caught.exception.response
        self.assertEqual(answer["Error"], {"Code": name, "Message": message})
        self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], 400)
        uuid.UUID(answer["ResponseMetadata"]["RequestId"])


class Lists(Case):
    def pages(self, operation, member, size, **request):
        pages = list(self.kms.get_paginator(operation).paginate(PaginationConfig={"PageSize": size}, **request))
        for page in pages[:-1]:
            self.assertEqual(len(page[member]), size)
            self.assertTrue(page["Truncated"])
        self.assertFalse(pages[-1]["Truncated"])
        self.assertNotIn("NextMarker", pages[-1])
        return [item for page in pages for item in page[member]]

    def test_keys(self):
        made = {self.create() for _ in range(5)}
        for size in (1, 2, 1000):
            listed = [key["KeyArn"] for key in self.pages("list_keys", "Keys", size)]
            self.assertEqual(len(set(listed)), len(listed))
            self.assertLessEqual(made, set(listed))
        some = self.kms.get_paginator("list_keys").paginate(PaginationConfig={"MaxItems": 3, "PageSize": 2})
        self.assertEqual(len(some.build_full_result()["Keys"]), 3)
        self.assertEqual([arn.split("/")[1] for arn in listed], [key["KeyId"] for key in self.pages("list_keys", "Keys", 100)])

    def test_aliases(self):
        key, other = self.create(), self.create()
        names = ["alias/boto3-%d" % i for i in range(4)]
        before = now()
        for name in names:
            self.kms.create_alias(AliasName=name, TargetKeyId=key)
        self.kms.create_alias(AliasName="alias/boto3/other", TargetKeyId=other)
        for size in (1, 3, 100):
            listed = self.pages("list_aliases", "Aliases", size, KeyId=key)
            self.assertEqual([alias["AliasName"] for alias in listed], names)
        for alias in listed:
            self.assertEqual(alias["TargetKeyId"], key.split("/")[1])
            self.assertEqual(alias["AliasArn"], key.split("key/")[0] + alias["AliasName"])
            self.assertLess(abs(alias["CreationDate"] - before), datetime.timedelta(minutes=1))
        self.assertLessEqual(set(names), {alias["AliasName"] for alias in self.pages("list_aliases", "Aliases", 2)})
        self.kms.update_alias(AliasName=names[0], TargetKeyId=other)
        self.assertEqual(self.kms.describe_key(KeyId=names[0])["KeyMetadata"]["Arn"], other)
        self.kms.delete_alias(AliasName=names[0])
        self.refuses("NotFoundException", "Alias %s%s is not found." % (key.split("key/")[0], names[0]), "describe_key", KeyId=names[0])

    def test_tags(self):
        tags = [{"TagKey": "k%d" % i, "TagValue": "ü %d" % i} for i in range(7)]
        key = self.create(Tags=tags)
        for size in (1, 3, 50):
            self.assertEqual(self.pages("list_resource_tags", "Tags", size, KeyId=key), tags)
        self.kms.untag_resource(KeyId=key, TagKeys=["k0", "k5", "absent"])
        self.kms.tag_resource(KeyId=key, Tags=[{"TagKey": "k1", "TagValue": ""}])
        left = {tag["TagKey"]: tag["TagValue"] for tag in self.pages("list_resource_tags", "Tags", 2, KeyId=key)}
        self.assertEqual(left, {"k1": "", "k2": "ü 2", "k3": "ü 3", "k4": "ü 4", "k6": "ü 6"})

    def test_policies(self):
        key = self.create()
        self.assertEqual(self.pages("list_key_policies", "PolicyNames", 1, KeyId=key), ["default"])
        policy = self.kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
        self.kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy, BypassPolicyLockoutSafetyCheck=True)
        self.assertEqual(self.kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"], policy)

    def test_grants(self):
        key = self.create()
        root = "arn:aws:iam::%s:root" % key.split(":")[4]
        made = {
            self.kms.create_grant(KeyId=key, GranteePrincipal=root, RetiringPrincipal=root, Operations=["Encrypt"], Name=name)["GrantId"]
            for name in ("first", "second", "third")
        }
        self.assertEqual({grant["GrantId"] for grant in self.pages("list_grants", "Grants", 1, KeyId=key)}, made)
        self.assertEqual({grant["GrantId"] for grant in self.pages("list_retirable_grants", "Grants", 2, RetiringPrincipal=root)}, made)

    def test_limits(self):
        self.refuses("InvalidMarkerException", "", "list_keys", Marker="x")
        self.refuses(
            "ValidationException",
            "1 validation error detected: Value '1001' at 'limit' failed to satisfy constraint: "
            "Member must have value less than or equal to 1000",
            "list_keys",
            Limit=1001,
        )
        self.assertEqual(self.kms.waiter_names, [])


class Exceptions(Case):
    def test_references(self):
        place = self.create().split("key/")[0]
        absent = str(uuid.uuid4())
        self.refuses("NotFoundException", "Key '%skey/%s' does not exist" % (place, absent), "describe_key", KeyId=absent)
        self.refuses("InvalidArnException", "Key Aliases are not supported for this operation.", "get_key_rotation_status", KeyId="alias/x")
        alias = {"AliasName": "alias/boto3/twice", "TargetKeyId": self.create()}
        self.kms.create_alias(**alias)
        self.refuses("AlreadyExistsException", "An alias with the name %salias/boto3/twice already exists" % place, "create_alias", **alias)

    def test_states(self):
        key = self.create(Origin="EXTERNAL")
        self.refuses("KMSInvalidStateException", key + " is pending import.", "encrypt", KeyId=key, Plaintext=DAWN)
        key = self.create()
        self.kms.disable_key(KeyId=key)
        self.refuses("DisabledException", key + " is disabled.", "generate_data_key", KeyId=key, KeySpec="AES_256")
        self.kms.enable_key(KeyId=key)
        answer = self.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        self.assertEqual((answer["KeyState"], answer["PendingWindowInDays"]), ("PendingDeletion", 7))
        self.assertLess(abs(answer["DeletionDate"] - now() - datetime.timedelta(days=7)), datetime.timedelta(minutes=1))
        self.refuses("KMSInvalidStateException", key + " is pending deletion.", "disable_key", KeyId=key)
        self.kms.cancel_key_deletion(KeyId=key)
        self.assertEqual(self.kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"], "Disabled")

    def test_without_message(self):
        key = self.create()
        self.refuses("InvalidCiphertextException", "", "decrypt", CiphertextBlob=b"x" * 256)
        self.refuses("UnsupportedOperationException", "", "get_public_key", KeyId=key)
        external = self.create(Origin="EXTERNAL")
        self.refuses(
            "InvalidImportTokenException", "", "import_key_material", KeyId=external, ImportToken=b"x" * 32,
            EncryptedKeyMaterial=b"x" * 256, ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
        )
        mac = self.create(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
        self.refuses("KMSInvalidMacException", "", "verify_mac", KeyId=mac, Message=DAWN, Mac=b"x" * 32, MacAlgorithm="HMAC_SHA_256")

    def test_usage_and_form(self):
        key = self.create(KeySpec="HMAC_224", KeyUsage="GENERATE_VERIFY_MAC")
        self.refuses(
            "InvalidKeyUsageException", key + " key usage is GENERATE_VERIFY_MAC which is not valid for Encrypt.",
            "encrypt", KeyId=key, Plaintext=DAWN,
        )
        self.refuses(
            "ValidationException",
            "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
            "create_key", KeySpec="HMAC_224",
        )
        with self.assertRaises(self.kms.exceptions.MalformedPolicyDocumentException):
            self.kms.put_key_policy(KeyId=key, PolicyName="default", Policy="{")


class Cryptography(Case):
    def test_timestamps(self):
        before = now()
        key = self.create(Origin="EXTERNAL")
        found = self.kms.describe_key(KeyId=key)["KeyMetadata"]
        self.assertLess(abs(found["CreationDate"] - before), datetime.timedelta(minutes=1))
        self.assertIsNotNone(found["CreationDate"].tzinfo)
        fetched = self.kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048")
        self.assertLess(abs(fetched["ParametersValidTo"] - before - datetime.timedelta(days=1)), datetime.timedelta(minutes=1))

    def test_encryption_context(self):
        key, other = self.create(), self.create()
        context = {"purpose": "prüfung", "tenant": "7"}
        blob = self.kms.encrypt(KeyId=key, Plaintext=DAWN, EncryptionContext=context)["CiphertextBlob"]
        answer = self.kms.decrypt(CiphertextBlob=blob, EncryptionContext=dict(reversed(context.items())))
        self.assertEqual((answer["Plaintext"], answer["KeyId"], answer["EncryptionAlgorithm"]), (DAWN, key, "SYMMETRIC_DEFAULT"))
        for wrong in ({}, {"purpose": "prüfung"}, {"purpose": "prüfung", "tenant": "8"}, {**context, "more": "x"}):
            self.refuses("InvalidCiphertextException", "", "decrypt", CiphertextBlob=blob, EncryptionContext=wrong)
        self.refuses(
            "IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.",
            "decrypt", CiphertextBlob=blob, KeyId=other, EncryptionContext=context,
        )
        moved = self.kms.re_encrypt(
            CiphertextBlob=blob, SourceEncryptionContext=context, DestinationKeyId=other, DestinationEncryptionContext={"purpose": "moved"},
        )
        self.assertEqual((moved["SourceKeyId"], moved["KeyId"]), (key, other))
        self.assertEqual(self.kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={"purpose": "moved"})["Plaintext"], DAWN)
        data = self.kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=context)
        self.assertEqual(self.kms.decrypt(CiphertextBlob=data["CiphertextBlob"], EncryptionContext=context)["Plaintext"], data["Plaintext"])
        self.assertEqual(len(self.kms.generate_random(NumberOfBytes=77)["Plaintext"]), 77)

    def test_sign_and_verify(self):
        for spec in ("RSA_2048", "ECC_NIST_P384"):
            key = self.create(KeySpec=spec, KeyUsage="SIGN_VERIFY")
            public = self.kms.get_public_key(KeyId=key)
            self.assertEqual((public["KeySpec"], public["KeyUsage"]), (spec, "SIGN_VERIFY"))
            for algorithm in public["SigningAlgorithms"]:
                with self.subTest(algorithm):
                    self.sign(key, algorithm, getattr(hashlib, "sha" + algorithm[-3:]))
            self.refuses(
                "InvalidKeyUsageException", "Algorithm ECDSA_SHA_512 is incompatible with key spec %s." % spec,
                "sign", KeyId=key, Message=DAWN, SigningAlgorithm="ECDSA_SHA_512",
            )

    def sign(self, key, algorithm, digest):
        request = {"KeyId": key, "SigningAlgorithm": algorithm}
        signature = self.kms.sign(Message=DAWN, **request)["Signature"]
        hashed = {"Message": digest(DAWN).digest(), "MessageType": "DIGEST", **request}
        self.assertTrue(self.kms.verify(Signature=signature, **hashed)["SignatureValid"])
        self.refuses("KMSInvalidSignatureException", "", "verify", Message=b"attack at noon", Signature=signature, **request)
        hashed["Message"] = hashed["Message"][1:]
        self.refuses("ValidationException", "Digest is invalid length for algorithm %s." % algorithm, "sign", **hashed)

    def test_rsa_encryption(self):
        key = self.create(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
        request = {"KeyId": key, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
        blob = self.kms.encrypt(Plaintext=DAWN, **request)["CiphertextBlob"]
        self.assertEqual(self.kms.decrypt(CiphertextBlob=blob, **request)["Plaintext"], DAWN)
        self.refuses("InvalidCiphertextException", "", "decrypt", CiphertextBlob=blob, KeyId=key)
        self.refuses(
            "ValidationException", "Algorithm RSAES_OAEP_SHA_256 and key spec RSA_2048 cannot encrypt data larger than 190 bytes.",
            "encrypt", Plaintext=b"x" * 191, **request,
        )


if __name__ == "__main__":
    unittest.main()
