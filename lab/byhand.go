// SPDX-License-Identifier: Apache-2.0

package lab

import "strings"

// What is typed again and again. The names of files are those of AWS's guide.

// handFetch downloads a public key and an import token, which belong together,
// in one call, and decodes them.
func handFetch(key, algorithm, wrappingKey string) []Command {
	return commands(
		`aws kms get-parameters-for-import --key-id "$`+key+`" \
  --wrapping-algorithm `+algorithm+` --wrapping-key-spec `+wrappingKey+` \
  --query '[PublicKey,ImportToken]' --output text > parameters.txt`,
		`cut -f1 parameters.txt | openssl base64 -d -A -out WrappingPublicKey.bin`,
		`cut -f2 parameters.txt | openssl base64 -d -A -out ImportToken.bin`)
}

// handWrap wraps the material in a file.
func handWrap(file string) []Command { return commands(wrapLine(file, "sha256")) }

func wrapLine(file, hash string) string {
	return `openssl pkeyutl -encrypt -in ` + file + ` -out EncryptedKeyMaterial.bin \
  -pubin -inkey WrappingPublicKey.bin -keyform DER \
  -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:` + hash + ` -pkeyopt rsa_mgf1_md:` + hash
}

// importLine imports what was wrapped; flags say until when, and else. Without
// flags it is for good; with one that is empty nothing is said.
func importLine(key string, flags ...string) string {
	if len(flags) == 0 {
		flags = []string{"--expiration-model KEY_MATERIAL_DOES_NOT_EXPIRE"}
	}
	line := `aws kms import-key-material --key-id "$` + key + `" \
  --encrypted-key-material fileb://EncryptedKeyMaterial.bin \
  --import-token fileb://ImportToken.bin`
	for _, f := range flags {
		if f != "" {
			line += " \\\n  " + f
		}
	}
	return line
}

// handBring is the whole import of a file, wrapped with RSAES_OAEP_SHA_256
// under RSA_2048.
func handBring(key, file string, flags ...string) []Command {
	return join(handFetch(key, "RSAES_OAEP_SHA_256", "RSA_2048"), handWrap(file), commands(importLine(key, flags...)))
}

// handEncrypt encrypts a file under a key, named by its variable or alias.
func handEncrypt(key, file string) []Command {
	return commands(`aws kms encrypt --key-id "` + key + `" --plaintext fileb://` + file + ` \
  --query CiphertextBlob --output text | openssl base64 -d -A -out ` + file + `.encrypted`)
}

// handDecrypt decrypts a file and prints what was in it.
func handDecrypt(file string) string {
	return `aws kms decrypt --ciphertext-blob fileb://` + file + `.encrypted \
  --query Plaintext --output text | openssl base64 -d -A`
}

// handState prints a key's state.
func handState(key string) []Command {
	return commands(`aws kms describe-key --key-id "$` + key + `" --query KeyMetadata.KeyState --output text`)
}

func join(all ...[]Command) (joined []Command) {
	for _, c := range all {
		joined = append(joined, c...)
	}
	return joined
}

// inRegion has the AWS CLI talk to another Region, named or in a variable.
func inRegion(region string, all []Command) []Command {
	there := make([]Command, len(all))
	for i, c := range all {
		c.Line = strings.ReplaceAll(c.Line, "aws kms ", `aws kms --region "`+region+`" `)
		there[i] = c
	}
	return there
}
