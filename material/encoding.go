// SPDX-License-Identifier: Apache-2.0

package material

import "strings"

// Encoding says in human words how material was encoded, as in "PKCS #8 PEM".
type Encoding string

// The encodings that [Parse] reads. A structure may also be found inside text, which reads as in "base64 of PKCS #8 DER",
// and in BER, as in "PKCS #8 BER".
const (
	Raw               Encoding = "raw bytes"
	RawText           Encoding = "raw bytes that are all printable text"
	Hex               Encoding = "hex"
	Base64            Encoding = "base64"
	PKCS8DER          Encoding = "PKCS #8 DER"
	PKCS8BER          Encoding = "PKCS #8 BER"
	PKCS8PEM          Encoding = "PKCS #8 PEM"
	EncryptedPKCS8DER Encoding = "encrypted PKCS #8 DER"
	EncryptedPKCS8PEM Encoding = "encrypted PKCS #8 PEM"
	PKCS1DER          Encoding = "PKCS #1 DER"
	PKCS1PEM          Encoding = "PKCS #1 PEM"
	SEC1DER           Encoding = "SEC 1 DER"
	SEC1PEM           Encoding = "SEC 1 PEM"
	OpenSSH           Encoding = "OpenSSH private key"
	EncryptedOpenSSH  Encoding = "encrypted OpenSSH private key"
	JWK               Encoding = "JWK"
)

// The encodings that [Identify] knows as well.
const (
	SPKIDER        Encoding = "SubjectPublicKeyInfo DER"
	SPKIPEM        Encoding = "SubjectPublicKeyInfo PEM"
	CertificateDER Encoding = "X.509 DER"
	CertificatePEM Encoding = "X.509 PEM"
	OpenSSHPublic  Encoding = "OpenSSH public key"
)

// pem returns the PEM form of a DER encoding, ber the BER form.
func (e Encoding) pem() Encoding { return Encoding(strings.Replace(string(e), " DER", " PEM", 1)) }
func (e Encoding) ber() Encoding { return Encoding(strings.Replace(string(e), " DER", " BER", 1)) }
