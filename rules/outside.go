// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
)

// The layout of a symmetric ciphertext, as decoded from recorded ones: a
// header of 54 bytes, the length of the rest, and a CMS EncryptedData with
// AES-256-GCM (RFC 5652 section 8, RFC 5084). With the plaintext 11 bytes of
// something else are sealed.
const (
	blobHeader = 54
	blobStart  = blobHeader + 4
	blobFrame  = 11
)

type encryptedData struct {
	Type    asn1.ObjectIdentifier
	Content struct {
		Version int
		Info    encryptedContentInfo
	} `asn1:"tag:0,explicit"`
}

type encryptedContentInfo struct {
	Type      asn1.ObjectIdentifier
	Algorithm struct {
		Algorithm  asn1.ObjectIdentifier
		Parameters struct {
			Nonce     []byte
			TagLength int
		}
	}
	Ciphertext []byte `asn1:"tag:0"` // and tag
}

// aes256GCM is the algorithm that ciphertexts were seen to name.
var aes256GCM = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 46}

var errLayout = errors.New("another layout")

// decode takes a ciphertext apart.
func decode(blob []byte) (e encryptedData, err error) {
	if len(blob) < blobStart || int(binary.BigEndian.Uint32(blob[blobHeader:])) != len(blob)-blobStart {
		return e, errLayout
	}
	rest, err := asn1.Unmarshal(blob[blobStart:], &e)
	if err != nil || len(rest) > 0 || !e.Content.Info.Algorithm.Algorithm.Equal(aes256GCM) ||
		len(e.Content.Info.Algorithm.Parameters.Nonce) != 12 {
		return e, errLayout
	}
	return e, nil
}

// encode puts a ciphertext together under another's header.
func encode(header []byte, e encryptedData) ([]byte, error) {
	der, err := asn1.Marshal(e)
	if err != nil {
		return nil, err
	}
	length := binary.BigEndian.AppendUint32(nil, uint32(len(der)))
	return slices.Concat(header[:blobHeader], length, der), nil
}

// gcm is AES-256-GCM under the material itself, with the nonce before the
// ciphertext.
func gcm(m *material.Material) (aead cipher.AEAD, err error) {
	err = m.Secret().Expose(func(b []byte) error {
		block, err := aes.NewCipher(b)
		if err != nil {
			return err
		}
		aead, err = cipher.NewGCMWithRandomNonce(block)
		return err
	})
	return aead, err
}

// associated are the data that the sender may have authenticated along: none,
// the header, or all that stands before the EncryptedData.
func associated(blob []byte) map[string][]byte {
	return map[string][]byte{"nothing": nil, "the header": blob[:blobHeader], "the header and the length": blob[:blobStart]}
}

func opensOutside(t *experiment.Trial) {
	m := t.Material(material.SymmetricDefault)
	k, _ := symmetric(t, m)
	blob := t.Encrypt(k, "kept")
	if t.Err() != nil {
		return
	}
	e, err := decode(blob)
	t.Check("the ciphertext's layout", "CMS EncryptedData with AES-256-GCM", layoutName(err))
	aead, err := gcm(m)
	t.Must(err)
	if t.Err() != nil {
		return
	}
	sealed := slices.Concat(e.Content.Info.Algorithm.Parameters.Nonce, e.Content.Info.Ciphertext)
	for _, what := range []string{"nothing", "the header", "the header and the length"} {
		_, err := aead.Open(nil, nil, sealed, associated(blob)[what])
		t.Check("open it with AES-256-GCM under the material, with "+what+" authenticated along", "does not open", opened(err))
	}
}

func layoutName(err error) string {
	if err != nil {
		return err.Error()
	}
	return "CMS EncryptedData with AES-256-GCM"
}

func opened(err error) string {
	if err != nil {
		return "does not open"
	}
	return "opens"
}

func madeOutside(t *experiment.Trial) {
	m := t.Material(material.SymmetricDefault)
	k, _ := symmetric(t, m)
	blob := t.Encrypt(k, "kept")
	if t.Err() != nil {
		return
	}
	e, err := decode(blob)
	t.Check("the layout of a ciphertext of KMS", "CMS EncryptedData with AES-256-GCM", layoutName(err))
	aead, err := gcm(m)
	t.Must(err)
	for _, what := range []string{"nothing", "the header", "the header and the length"} {
		if t.Err() != nil {
			return
		}
		plaintext := append(frameOf(aead, blob, e), "made"...)
		sealed := aead.Seal(nil, nil, plaintext, associated(blob)[what])
		forged := e
		forged.Content.Info.Algorithm.Parameters.Nonce, forged.Content.Info.Ciphertext = sealed[:12], sealed[12:]
		ciphertext, err := encode(blob, forged)
		t.Must(err)
		experiment.Do(t, "decrypt what was made outside, with "+what+" authenticated along", badCiphertext(), t.KMS.Decrypt,
			&kms.DecryptInput{KeyId: aws.String(k.ARN), CiphertextBlob: ciphertext})
	}
}

// frameOf are the bytes that KMS sealed before the plaintext, as far as one can
// find out: zeros unless the ciphertext opens.
func frameOf(aead cipher.AEAD, blob []byte, e encryptedData) []byte {
	sealed := slices.Concat(e.Content.Info.Algorithm.Parameters.Nonce, e.Content.Info.Ciphertext)
	for _, along := range associated(blob) {
		if plaintext, err := aead.Open(nil, nil, sealed, along); err == nil && len(plaintext) >= blobFrame {
			return plaintext[:blobFrame:blobFrame]
		}
	}
	return make([]byte, blobFrame)
}
