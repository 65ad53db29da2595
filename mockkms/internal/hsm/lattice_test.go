// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"bytes"
	"crypto/sha3"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"filippo.io/mldsa"
	"github.com/c2sp/wycheproof"
)

// latticeVectors is a Wycheproof file of ML-DSA or ML-KEM. The tests that need
// it are inside the package: they begin with public keys, or seeds.
type latticeVectors struct {
	NumberOfTests int
	TestGroups    []struct {
		PublicKey string
		Tests     []struct {
			ID                          int `json:"tcId"`
			Comment, Result             string
			Msg, Ctx, Sig, Seed, Ek, Ct string
			C, K                        string
		}
	}
}

func readLatticeVectors(t *testing.T, name string) (f latticeVectors) {
	t.Helper()
	b, err := fs.ReadFile(wycheproof.TestVectors, name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Vectors with a context serve as well: mu has it inside.
func TestWycheproofMLDSA(t *testing.T) {
	for name, set := range map[string]*mldsaSet{"44": mldsa44, "65": mldsa65, "87": mldsa87} {
		f, ran := readLatticeVectors(t, "mldsa_"+name+"_verify_test.json"), 0
		for _, g := range f.TestGroups {
			public := unhex(t, g.PublicKey)
			for _, v := range g.Tests {
				ran++
				context := unhex(t, v.Ctx)
				if len(context) > 255 {
					continue // has no mu
				}
				h := sha3.NewSHAKE256()
				h.Write(sha3.SumSHAKE256(public, muSize))
				h.Write([]byte{0, byte(len(context))})
				h.Write(context)
				h.Write(unhex(t, v.Msg))
				mu := make([]byte, muSize)
				h.Read(mu)
				if got := set.verifier.verify(public, mu, unhex(t, v.Sig)); got != (v.Result == "valid") {
					t.Errorf("ML-DSA-%s %d (%s): %v, want %s", name, v.ID, v.Comment, got, v.Result)
				}
			}
		}
		if ran != f.NumberOfTests || ran == 0 {
			t.Errorf("ML-DSA-%s: ran %d of %d", name, ran, f.NumberOfTests)
		}
	}
}

// What is signed as RAW verifies with mu and the reverse, signatures differ
// each time (recorded), and the library agrees with this package's verifier.
func TestMLDSASignatures(t *testing.T) {
	const algorithm = "ML_DSA_SHAKE_256"
	message := bytes.Repeat([]byte("m"), 4096)
	sizes := map[string]int{MLDSA44: 2420, MLDSA65: 3309, MLDSA87: 4627} // FIPS 204, table 2
	for spec, size := range sizes {
		k := generate(t, spec)
		secret := k.secret.(*mldsaSecret)
		mu := secret.represent(message)
		raw, err := k.Sign(algorithm, "", message)
		external, err2 := k.Sign(algorithm, ExternalMu, mu)
		if err != nil || err2 != nil || len(raw) != size || len(external) != size || bytes.Equal(raw, external) {
			t.Fatalf("%s: %v, %v, signatures of %d and %d bytes", spec, err, err2, len(raw), len(external))
		}
		for _, signature := range [][]byte{raw, external} {
			if err := k.Verify(algorithm, Raw, message, signature); err != nil {
				t.Errorf("%s as RAW: %v", spec, err)
			}
			if err := k.Verify(algorithm, ExternalMu, mu, signature); err != nil {
				t.Errorf("%s as EXTERNAL_MU: %v", spec, err)
			}
			if err := mldsa.Verify(secret.private.PublicKey(), message, signature, nil); err != nil {
				t.Errorf("%s elsewhere: %v", spec, err)
			}
		}
		for _, place := range []int{0, size / 2, size - 1} {
			broken := slices.Clone(raw)
			broken[place] ^= 1
			if err := k.Verify(algorithm, Raw, message, broken); err != ErrSignature {
				t.Errorf("%s changed at %d: %v, want ErrSignature", spec, place, err)
			}
		}
		if err := k.Verify(algorithm, Raw, message[1:], raw); err != ErrSignature {
			t.Errorf("%s, other message: %v, want ErrSignature", spec, err)
		}
		if err := k.Verify(algorithm, Raw, message, []byte("invalid")); err != ErrSignature {
			t.Errorf("%s, no signature: %v, want ErrSignature", spec, err)
		}
	}
}

func TestMLDSARefusals(t *testing.T) {
	k := generate(t, MLDSA44)
	for _, tt := range []struct {
		messageType string
		length      int
		want        string
	}{
		{Digest, 64, "message type DIGEST does not fit key spec ML_DSA_44"},
		{ExternalMu, 63, "EXTERNAL_MU of 63 bytes for ML_DSA_SHAKE_256, which takes 64"},
		{ExternalMu, 65, "EXTERNAL_MU of 65 bytes for ML_DSA_SHAKE_256, which takes 64"},
	} {
		_, err := k.Sign("ML_DSA_SHAKE_256", tt.messageType, make([]byte, tt.length))
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s of %d bytes: %v, want %s", tt.messageType, tt.length, err, tt.want)
		}
	}
}

func generate(t *testing.T, spec string) *Key {
	t.Helper()
	material, err := GenerateMaterial(spec)
	if err != nil {
		t.Fatal(err)
	}
	k, err := ParseMaterial(spec, material)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Public keys are SubjectPublicKeyInfo without parameters (recorded for ML-DSA).
func TestLatticePublicKeys(t *testing.T) {
	for spec, want := range map[string]struct {
		size int
		oid  string // its last two bytes
	}{
		MLDSA44: {1312, "0311"}, MLDSA65: {1952, "0312"}, MLDSA87: {2592, "0313"},
		MLKEM512: {800, "0401"}, MLKEM768: {1184, "0402"}, MLKEM1024: {1568, "0403"},
	} {
		k := generate(t, spec)
		got := hex.EncodeToString(k.PublicKeyDER()[4:17])
		if len(k.PublicKeyDER()) != want.size+22 || got != "300b060960864801650304"+want.oid {
			t.Errorf("%s: %d bytes, algorithm %s", spec, len(k.PublicKeyDER()), got)
		}
	}
}

func TestWycheproofMLKEM(t *testing.T) {
	for name, set := range map[string]*mlkemSet{"512": mlkem512Set, "768": mlkem768Set, "1024": mlkem1024Set} {
		spec, _ := LookupSpec("ML_KEM_" + name)
		f, ran := readLatticeVectors(t, "mlkem_"+name+"_test.json"), 0
		for _, g := range f.TestGroups {
			for _, v := range g.Tests {
				ran++
				k, err := spec.family.parse(spec, marshalSeed(set.oid, unhex(t, v.Seed)))
				if err != nil {
					if v.Result == "valid" {
						t.Errorf("ML-KEM-%s %d (%s): %v", name, v.ID, v.Comment, err)
					}
					continue
				}
				if v.Ek != "" && !bytes.HasSuffix(k.PublicKeyDER(), unhex(t, v.Ek)) && v.Result == "valid" {
					t.Errorf("ML-KEM-%s %d (%s): another public key", name, v.ID, v.Comment)
				}
				got, err := k.Decapsulate(MLKEM, unhex(t, v.C))
				if valid := err == nil && bytes.Equal(got, unhex(t, v.K)); valid != (v.Result == "valid") {
					t.Errorf("ML-KEM-%s %d (%s): %x, %v, want %s", name, v.ID, v.Comment, got, err, v.Result)
				}
			}
		}
		if ran != f.NumberOfTests || ran == 0 {
			t.Errorf("ML-KEM-%s: ran %d of %d", name, ran, f.NumberOfTests)
		}
	}
}

func TestEncapsulate(t *testing.T) {
	for spec, size := range map[string]int{MLKEM512: 768, MLKEM768: 1088, MLKEM1024: 1568} {
		k, other := generate(t, spec), generate(t, spec)
		secret, ciphertext, err := k.Encapsulate(MLKEM)
		if err != nil || len(secret) != 32 || len(ciphertext) != size {
			t.Fatalf("%s: %v, %d and %d bytes", spec, err, len(secret), len(ciphertext))
		}
		if got, err := k.Decapsulate(MLKEM, ciphertext); err != nil || !bytes.Equal(got, secret) {
			t.Errorf("%s: %x, %v, want %x", spec, got, err, secret)
		}
		// Implicit rejection: 32 other bytes, no error (Decapsulate in the API reference).
		if got, err := other.Decapsulate(MLKEM, ciphertext); err != nil || len(got) != 32 || bytes.Equal(got, secret) {
			t.Errorf("%s with another key: %x, %v", spec, got, err)
		}
		for _, wrong := range [][]byte{ciphertext[1:], append(slices.Clone(ciphertext), 0)} {
			if got, err := k.Decapsulate(MLKEM, wrong); err != ErrCiphertext || got != nil {
				t.Errorf("%s, %d bytes: %x, %v, want ErrCiphertext", spec, len(wrong), got, err)
			}
		}
		if _, _, err := generate(t, MLDSA44).Encapsulate(MLKEM); err == nil || !strings.Contains(err.Error(), "does not fit") {
			t.Errorf("an ML-DSA key encapsulates: %v", err)
		}
	}
}

// The recorded lengths; RSA varies by a byte or two. ML-KEM: PKCS #8 with a seed.
func TestGenerateDataKeyPair(t *testing.T) {
	for spec, want := range map[string]int{
		ECCNISTP256: 150, ECCNISTP384: 194, ECCNISTP521: 250, ECCSECGP256K1: 144,
		ECCNISTEdwards25519: 48, RSA2048: 1217, MLKEM512: 86, MLKEM768: 86, MLKEM1024: 86,
	} {
		private, public, err := GenerateDataKeyPair(spec)
		if slack := len(private) - want; err != nil || slack != 0 && (spec != RSA2048 || slack < -3 || slack > 3) {
			t.Errorf("%s: %d bytes, %v, want %d", spec, len(private), err, want)
		}
		if k, err := ParseMaterial(spec, private); err != nil || !bytes.Equal(k.PublicKeyDER(), public) {
			t.Errorf("%s: the halves do not belong together: %v", spec, err)
		}
	}
	if _, _, err := GenerateDataKeyPair("SM2"); err == nil {
		t.Error("SM2 is generated")
	}
}
