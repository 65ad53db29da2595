// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import "fmt"

// useless is the refusal of cryptography that is not the key's.
func (k *modelKey) useless(usage, operation string) string {
	if k.usage == usage {
		return ""
	}
	if operation != "Encrypt" { // of which alone the text is known
		return "InvalidKeyUsageException: " + anything
	}
	return "InvalidKeyUsageException: " + k.ref() + " key usage is " + k.usage + " which is not valid for Encrypt."
}

// encrypts says what becomes of Encrypt and GenerateDataKey.
func (m *model) encrypts(k *modelKey, operation, context, plaintext string) want {
	if w := refuses(k.unusable(), k.useless("ENCRYPT_DECRYPT", operation)); w.refused() {
		return w
	}
	w := answers("KeyId", k.ref(), "CiphertextBlob", m.seal(k, context, plaintext))
	if operation == "Encrypt" {
		return w.and("KeyMaterialId", absent)
	}
	return w.and("Plaintext", plaintext, "KeyMaterialId", "{"+k.current().name+"}")
}

// seal remembers a ciphertext, and names it.
func (m *model) seal(k *modelKey, context, plaintext string) string {
	m.blobs = append(m.blobs, modelBlob{k, k.current(), context, plaintext})
	return numbered("blob", len(m.blobs)-1)
}

// opens lists what is in the way of decrypting a blob, whose key the caller
// may have named.
func (b *modelBlob) opens(named *modelKey, context string) (faults []string) {
	if b == nil {
		faults = append(faults, "InvalidCiphertextException")
		if named != nil {
			faults = append(faults, named.unusable(), named.useless("ENCRYPT_DECRYPT", "Decrypt"))
		}
		return faults
	}
	if named != nil && named != b.key {
		faults = append(faults, named.unusable(), "IncorrectKeyException: The key ID in the request does not identify a CMK that can perform this operation.")
	}
	switch {
	case b.key.gone:
		faults = append(faults, "AccessDeniedException: The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.")
	default:
		faults = append(faults, b.key.unusable())
	}
	if context != b.context {
		faults = append(faults, "InvalidCiphertextException")
	}
	return faults
}

// decrypts says what becomes of Decrypt.
func (b *modelBlob) decrypts(named *modelKey, context string) want {
	if w := refuses(b.opens(named, context)...); w.refused() {
		return w
	}
	return answers("KeyId", b.key.ref(), "Plaintext", b.plaintext, "KeyMaterialId", "{"+b.material.name+"}")
}

// reencrypts says what becomes of ReEncrypt to a key, under the same context.
func (m *model) reencrypts(b *modelBlob, to *modelKey, context string) want {
	if w := refuses(append(b.opens(nil, context), to.unusable(), to.useless("ENCRYPT_DECRYPT", "ReEncrypt"))...); w.refused() {
		return w
	}
	return answers("KeyId", to.ref(), "SourceKeyId", b.key.ref(), "CiphertextBlob", m.seal(to, context, b.plaintext),
		"SourceKeyMaterialId", "{"+b.material.name+"}", "DestinationKeyMaterialId", "{"+to.current().name+"}")
}

// maker names what decides over signatures and MACs: nothing but the bytes of
// the material, in whichever key.
func (k *modelKey) maker() string {
	if k.origin == "AWS_KMS" {
		return k.name
	}
	return k.current().name[len(k.name+" of "):]
}

// authenticates says what becomes of GenerateMac: the same MAC whenever asked.
func (m *model) authenticates(k *modelKey) want {
	if w := refuses(k.unusable(), k.useless("GENERATE_VERIFY_MAC", "GenerateMac")); w.refused() {
		return w
	}
	m.macs = append(m.macs, k.maker())
	return answers("KeyId", k.ref(), "Mac", "{mac by "+k.maker()+"}", "MacAlgorithm", "HMAC_SHA_256")
}

// verifiesMac says what becomes of VerifyMac.
func (k *modelKey) verifiesMac(maker string) want {
	if w := refuses(k.unusable(), k.useless("GENERATE_VERIFY_MAC", "VerifyMac")); w.refused() {
		return w
	}
	if k.maker() != maker {
		return refuses("KMSInvalidMacException")
	}
	return answers("KeyId", k.ref(), "MacValid", "true", "MacAlgorithm", "HMAC_SHA_256")
}

// signs says what becomes of Sign: another signature each time.
func (m *model) signs(k *modelKey) want {
	if w := refuses(k.unusable(), k.useless("SIGN_VERIFY", "Sign")); w.refused() {
		return w
	}
	m.signatures = append(m.signatures, k.maker())
	return answers("KeyId", k.ref(), "Signature", numbered("signature", len(m.signatures)-1))
}

// verifies says what becomes of Verify.
func (k *modelKey) verifies(maker string) want {
	if w := refuses(k.unusable(), k.useless("SIGN_VERIFY", "Verify")); w.refused() {
		return w
	}
	if k.maker() != maker {
		return refuses("KMSInvalidSignatureException")
	}
	return answers("KeyId", k.ref(), "SignatureValid", "true")
}

// publicKey says what becomes of GetPublicKey, which disabled keys answer too.
func (k *modelKey) publicKey() want {
	faults := []string{k.refusedWhen("PendingImport", "PendingDeletion")}
	if k.usage != "SIGN_VERIFY" {
		faults = append(faults, "UnsupportedOperationException") // recorded for symmetric keys, assumed for HMAC
	}
	if w := refuses(faults...); w.refused() {
		return w
	}
	return answers("KeyId", k.ref(), "PublicKey", "{public key of "+k.maker()+"}")
}

// numbered is the name of the n-th of its kind.
func numbered(kind string, n int) string { return fmt.Sprintf("{%s %d}", kind, n) }
