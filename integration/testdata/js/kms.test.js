// SPDX-License-Identifier: Apache-2.0

// The AWS SDK for JavaScript against a KMS of which it learns from the
// environment, as a user's program does: AWS_ENDPOINT_URL_KMS, AWS_REGION and
// credentials of an account that has no keys yet. Run with node --test.
//
// Tests run one after the other; lists hold what the tests before made.

import assert from "node:assert/strict";
import { constants, createHash, createHmac, createPublicKey, generateKeyPairSync, publicEncrypt, randomBytes, verify } from "node:crypto";
import { before, test } from "node:test";

import * as sdk from "@aws-sdk/client-kms";

const kms = new sdk.KMSClient({ maxAttempts: 1 });

// send calls an operation by its name.
const send = (operation, input) => kms.send(new sdk[`${operation}Command`](input));

const create = async (input = {}) => (await send("CreateKey", input)).KeyMetadata.Arn;

const neverExpires = { ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" };

// wrap encrypts key material with nothing but Node's own crypto.
async function wrap(KeyId, material, bits = 2048) {
	const fetched = await send("GetParametersForImport", {
		KeyId,
		WrappingAlgorithm: "RSAES_OAEP_SHA_256",
		WrappingKeySpec: `RSA_${bits}`,
	});
	const key = createPublicKey({ key: Buffer.from(fetched.PublicKey), format: "der", type: "spki" });
	assert.equal(key.asymmetricKeyDetails.modulusLength, bits);
	const padding = { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };
	return {
		fetched,
		request: { KeyId, ImportToken: fetched.ImportToken, EncryptedKeyMaterial: publicEncrypt(padding, material) },
	};
}

// importInto imports material and returns what KMS answers.
async function importInto(KeyId, material, more = neverExpires) {
	const { request } = await wrap(KeyId, material);
	return send("ImportKeyMaterial", { ...request, ...more });
}

async function collect(pages, member) {
	const all = [];
	let count = 0;
	for await (const page of pages) {
		all.push(...page[member]);
		count++;
	}
	return { all, count };
}

const unsaid = "Unknown"; // the SDK, where KMS sends no message

// refuses demands an exception of the SDK's own class, with this message.
async function refuses(exception, message, operation, input) {
	await assert.rejects(send(operation, input), (error) => {
		assert.equal(error.name, exception);
		if (sdk[exception]) {
			assert.ok(error instanceof sdk[exception], `${exception} is not of the SDK's class`);
		}
		assert.ok(error instanceof sdk.KMSServiceException);
		assert.equal(error.message, message);
		assert.equal(error.$fault, "client");
		assert.equal(error.$metadata.httpStatusCode, 400);
		assert.match(error.$metadata.requestId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
		return true;
	});
}

let external, hmac, signer; // ARNs

before(async () => {
	external = await create({ Origin: "EXTERNAL", Description: "from JavaScript" });
	hmac = await create({ Origin: "EXTERNAL", KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" });
	signer = await create({ KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
});

test("an import, wrapped by Node, expiring, and back again", async () => {
	const material = randomBytes(32);
	const { fetched, request } = await wrap(external, material, 3072);
	assert.ok(fetched.ParametersValidTo instanceof Date);
	assert.ok(Math.abs(fetched.ParametersValidTo - Date.now() - 24 * 3600e3) < 60e3);

	const imported = await send("ImportKeyMaterial", { ...request, ...neverExpires });
	assert.equal(imported.KeyId, external);
	assert.match(imported.KeyMaterialId, /^[0-9a-f]{64}$/);
	let { KeyMetadata: described } = await send("DescribeKey", { KeyId: external });
	assert.equal(described.KeyState, "Enabled");
	assert.equal(described.CurrentKeyMaterialId, imported.KeyMaterialId);
	assert.ok(described.CreationDate instanceof Date);

	const EncryptionContext = { purpose: "prüfung", tenant: "7" };
	const { CiphertextBlob } = await send("Encrypt", { KeyId: external, Plaintext: Buffer.from("attack at dawn"), EncryptionContext });
	const ValidTo = new Date(Date.now() + 30 * 24 * 3600e3);
	await send("ImportKeyMaterial", { ...request, ExpirationModel: "KEY_MATERIAL_EXPIRES", ValidTo });
	({ KeyMetadata: described } = await send("DescribeKey", { KeyId: external }));
	assert.equal(described.ValidTo.getTime(), Math.floor(ValidTo / 1000) * 1000);

	await send("DeleteImportedKeyMaterial", { KeyId: external });
	await refuses("KMSInvalidStateException", `${external} is pending import.`, "Decrypt", { CiphertextBlob, EncryptionContext });
	await refuses(
		"IncorrectKeyMaterialException",
		`Imported key material does not have the expected identifier (${imported.KeyMaterialId}).`,
		"ImportKeyMaterial",
		{ ...(await wrap(external, randomBytes(32))).request, ...neverExpires },
	);
	await importInto(external, material);
	const { Plaintext, KeyMaterialId } = await send("Decrypt", { CiphertextBlob, EncryptionContext });
	assert.equal(Buffer.from(Plaintext).toString(), "attack at dawn");
	assert.equal(KeyMaterialId, imported.KeyMaterialId);
});

test("imported bytes are the key", async () => {
	const secret = randomBytes(32);
	await importInto(hmac, secret);
	const request = { KeyId: hmac, Message: Buffer.from("attack at dawn"), MacAlgorithm: "HMAC_SHA_256" };
	const { Mac } = await send("GenerateMac", request);
	assert.deepEqual(Buffer.from(Mac), createHmac("sha256", secret).update(request.Message).digest());
	assert.equal((await send("VerifyMac", { ...request, Mac })).MacValid, true);

	const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
	const pair = await create({ Origin: "EXTERNAL", KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
	await importInto(pair, privateKey.export({ format: "der", type: "pkcs8" }));
	const answered = await send("GetPublicKey", { KeyId: pair });
	assert.deepEqual(Buffer.from(answered.PublicKey), publicKey.export({ format: "der", type: "spki" }));
	const { Signature } = await send("Sign", { KeyId: pair, Message: Buffer.from("attack at dawn"), SigningAlgorithm: "ECDSA_SHA_256" });
	assert.ok(verify("sha256", Buffer.from("attack at dawn"), publicKey, Signature));
});

test("signatures of a key that KMS made", async () => {
	const { PublicKey, SigningAlgorithms } = await send("GetPublicKey", { KeyId: signer });
	assert.deepEqual(SigningAlgorithms, ["ECDSA_SHA_256"]);
	const message = Buffer.from("attack at dawn");
	const request = {
		KeyId: signer,
		Message: createHash("sha256").update(message).digest(),
		MessageType: "DIGEST",
		SigningAlgorithm: "ECDSA_SHA_256",
	};
	const { Signature } = await send("Sign", request);
	const key = createPublicKey({ key: Buffer.from(PublicKey), format: "der", type: "spki" });
	assert.ok(verify("sha256", message, key, Signature));
	assert.equal((await send("Verify", { ...request, Signature })).SignatureValid, true);
	await refuses("KMSInvalidSignatureException", unsaid, "Verify", { ...request, Signature: Signature.reverse() });
});

test("materials of a rotated key, page by page", async () => {
	const KeyId = await create({ Origin: "EXTERNAL" });
	const first = await importInto(KeyId, randomBytes(32), { ...neverExpires, KeyMaterialDescription: "first" });
	const second = await importInto(KeyId, randomBytes(32), { ...neverExpires, ImportType: "NEW_KEY_MATERIAL" });
	const { all, count } = await collect(
		sdk.paginateListKeyRotations({ client: kms, pageSize: 1 }, { KeyId, IncludeKeyMaterial: "ALL_KEY_MATERIAL" }),
		"Rotations",
	);
	assert.equal(count, 2);
	assert.deepEqual(
		all.map((r) => [r.KeyMaterialId, r.KeyMaterialState, r.KeyMaterialDescription]),
		[
			[first.KeyMaterialId, "CURRENT", "first"],
			[second.KeyMaterialId, "PENDING_ROTATION", undefined],
		],
	);
});

test("lists, page by page", async () => {
	const made = await Promise.all(Array.from({ length: 7 }, () => create()));
	const keys = await collect(sdk.paginateListKeys({ client: kms, pageSize: 3 }, {}), "Keys");
	const arns = keys.all.map((k) => k.KeyArn);
	assert.equal(new Set(arns).size, arns.length);
	for (const key of [...made, external, hmac, signer]) {
		assert.ok(arns.includes(key), `${key} is not listed`);
	}
	assert.equal(keys.count, Math.ceil(arns.length / 3));

	const [KeyId] = made;
	const names = ["alias/a", "alias/b/c", "alias/d-e_f"];
	for (const AliasName of names) {
		await send("CreateAlias", { AliasName, TargetKeyId: KeyId });
	}
	for (const input of [{}, { KeyId }]) {
		const aliases = await collect(sdk.paginateListAliases({ client: kms, pageSize: 1 }, input), "Aliases");
		assert.deepEqual(aliases.all.filter((a) => a.TargetKeyId).map((a) => a.AliasName).sort(), names);
	}

	const Tags = Array.from({ length: 5 }, (_, i) => ({ TagKey: `key ${i}`, TagValue: `ü+-=._:/@ ${i}` }));
	await send("TagResource", { KeyId, Tags });
	const tags = await collect(sdk.paginateListResourceTags({ client: kms, pageSize: 2 }, { KeyId }), "Tags");
	assert.deepEqual(tags, { all: Tags, count: 3 });

	const policies = await collect(sdk.paginateListKeyPolicies({ client: kms }, { KeyId }), "PolicyNames");
	assert.deepEqual(policies, { all: ["default"], count: 1 });
	await refuses("InvalidMarkerException", unsaid, "ListKeys", { Marker: "x" });
});

test("grants, page by page", async () => {
	const made = { KeyId: signer, Operations: ["Sign"] };
	const GranteePrincipal = signer.replace(/^arn:aws:kms:[^:]*:(\d+):.*/, "arn:aws:iam::$1:root");
	const ids = [];
	for (const Name of ["first", "second", "third"]) {
		ids.push((await send("CreateGrant", { ...made, GranteePrincipal, Name })).GrantId);
	}
	const { all, count } = await collect(sdk.paginateListGrants({ client: kms, pageSize: 1 }, { KeyId: signer }), "Grants");
	assert.equal(count, 3);
	assert.deepEqual(all.map((g) => g.GrantId).sort(), ids.sort());
	assert.ok(all.every((g) => g.CreationDate instanceof Date && g.KeyId === signer));
});

test("exceptions", async () => {
	const [region, account] = external.split(":").slice(3, 5);
	const absent = "00000000-0000-4000-8000-000000000000";
	await refuses("NotFoundException", `Key 'arn:aws:kms:${region}:${account}:key/${absent}' does not exist`, "DescribeKey", { KeyId: absent });
	await refuses("NotFoundException", `Alias arn:aws:kms:${region}:${account}:alias/absent is not found.`, "Encrypt", {
		KeyId: "alias/absent",
		Plaintext: randomBytes(1),
	});
	await refuses("InvalidKeyUsageException", `${signer} key usage is SIGN_VERIFY which is not valid for Encrypt.`, "Encrypt", {
		KeyId: signer,
		Plaintext: randomBytes(1),
	});
	await refuses("UnsupportedOperationException", unsaid, "GetPublicKey", { KeyId: external });
	await refuses("InvalidCiphertextException", unsaid, "Decrypt", { CiphertextBlob: randomBytes(256) });
	await refuses("InvalidImportTokenException", unsaid, "ImportKeyMaterial", {
		KeyId: external,
		ImportToken: randomBytes(32),
		EncryptedKeyMaterial: randomBytes(256),
		...neverExpires,
	});
	await refuses("KMSInvalidMacException", unsaid, "VerifyMac", {
		KeyId: hmac,
		Message: randomBytes(1),
		Mac: randomBytes(32),
		MacAlgorithm: "HMAC_SHA_256",
	});
	await refuses(
		"ValidationException",
		"1 validation error detected: Value at 'message' failed to satisfy constraint: Member must have length greater than or equal to 1",
		"GenerateMac",
		{ KeyId: hmac, Message: new Uint8Array(), MacAlgorithm: "HMAC_SHA_256" },
	);
	await refuses("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.", "GenerateDataKey", {
		KeyId: external,
		KeySpec: "AES_256",
		DryRun: true,
	});
	const KeyId = await create();
	await send("DisableKey", { KeyId });
	await refuses("DisabledException", `${KeyId} is disabled.`, "Encrypt", { KeyId, Plaintext: randomBytes(1) });
	const { DeletionDate } = await send("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
	assert.ok(DeletionDate instanceof Date && DeletionDate > Date.now());
	await refuses("KMSInvalidStateException", `${KeyId} is pending deletion.`, "EnableKey", { KeyId });
});
