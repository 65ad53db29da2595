// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import "fmt"

// fitting does with a key what its usage is.
func fitting(encryption, authentication, signature func(*model, step) (request, want)) func(*model, step) (request, want) {
	return func(m *model, s step) (request, want) {
		if k := m.address(s, true).key; k != nil && k.usage == "GENERATE_VERIFY_MAC" {
			return authentication(m, s)
		} else if k != nil && k.usage == "SIGN_VERIFY" {
			return signature(m, s)
		}
		return encryption(m, s)
	}
}

func encrypt(m *model, s step) (request, want) {
	context, plaintext := choose(s[3], contexts...), choose(s[4], "eA==", "eHh4")
	return about("Encrypt", true, `, "Plaintext": "`+plaintext+`", "EncryptionContext": `+context, func(m *model, k *modelKey) want {
		return m.encrypts(k, "Encrypt", context, plaintext)
	})(m, s)
}

// contexts are encryption contexts.
var contexts = []string{`{"a": "b"}`, `{"a": "c"}`}

func generateDataKey(m *model, s step) (request, want) {
	context := choose(s[3], contexts...)
	return about("GenerateDataKey", true, `, "KeySpec": "AES_256", "EncryptionContext": `+context, func(m *model, k *modelKey) want {
		return m.encrypts(k, "GenerateDataKey", context, numbered("data key", len(m.blobs)))
	})(m, s)
}

// taken picks a ciphertext, and mostly its context.
func (m *model) taken(s step) (name, context string, b *modelBlob) {
	context = choose(s[4], contexts...)
	i := last(s[3], m.blobs)
	if i < 0 {
		return "eHh4", context, nil
	}
	if s[4] < 224 {
		context = m.blobs[i].context
	}
	return numbered("blob", i), context, &m.blobs[i]
}

func decrypt(m *model, s step) (request, want) {
	name, context, b := m.taken(s)
	r := request{operation: "Decrypt", members: fmt.Sprintf(`"CiphertextBlob": "%s", "EncryptionContext": %s`, name, context)}
	if s[5] < 128 {
		return r, b.decrypts(nil, context)
	}
	if b != nil && s[5] < 224 { // the key it belongs to
		for i, k := range m.keys {
			if k == b.key {
				s[1] = byte(i)
			}
		}
	}
	a := m.address(s, true)
	r.members += `, "KeyId": "` + a.ref + `"`
	if a.fault != "" {
		if b == nil {
			return r, refuses(a.fault, "InvalidCiphertextException")
		}
		return r, refuses(a.fault)
	}
	return r, b.decrypts(a.key, context)
}

func reEncrypt(m *model, s step) (request, want) {
	name, context, b := m.taken(s)
	a := m.address(s, true)
	r := request{operation: "ReEncrypt", members: fmt.Sprintf(`"CiphertextBlob": "%s", "SourceEncryptionContext": %s, "DestinationKeyId": "%s", "DestinationEncryptionContext": %s`, name, context, a.ref, context)}
	if a.fault != "" {
		return r, refuses(append(b.opens(nil, context), a.fault)...)
	}
	return r, m.reencrypts(b, a.key, context)
}

func generateMac(m *model, s step) (request, want) {
	return about("GenerateMac", true, `, "MacAlgorithm": "HMAC_SHA_256", "Message": "eA=="`, (*model).authenticates)(m, s)
}

func verifyMac(m *model, s step) (request, want) {
	maker, mac := "nobody", "eA=="
	if i := last(s[3], m.macs); i >= 0 {
		maker, mac = m.macs[i], "{mac by "+m.macs[i]+"}"
	}
	return about("VerifyMac", true, `, "MacAlgorithm": "HMAC_SHA_256", "Message": "eA==", "Mac": "`+mac+`"`, func(m *model, k *modelKey) want {
		return k.verifiesMac(maker)
	})(m, s)
}

// signingMembers are those of Sign and Verify that fit a key.
func signingMembers(a addressed) string {
	if a.key != nil && a.key.spec == "RSA_2048" {
		return `, "Message": "eA==", "SigningAlgorithm": "RSASSA_PSS_SHA_256"`
	}
	return `, "Message": "eA==", "SigningAlgorithm": "ECDSA_SHA_256"`
}

func sign(m *model, s step) (request, want) {
	return about("Sign", true, signingMembers(m.address(s, true)), (*model).signs)(m, s)
}

func verify(m *model, s step) (request, want) {
	maker, signature := "nobody", "eA=="
	if i := last(s[3], m.signatures); i >= 0 {
		maker, signature = m.signatures[i], numbered("signature", i)
	}
	return about("Verify", true, signingMembers(m.address(s, true))+`, "Signature": "`+signature+`"`, func(m *model, k *modelKey) want {
		return k.verifies(maker)
	})(m, s)
}
