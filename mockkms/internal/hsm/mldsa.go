// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"crypto/rand"
	"crypto/sha3"

	"filippo.io/mldsa"
	"filippo.io/mldsa/mldsacrypto"
)

// muSize is the length in bytes of a message representative, which is what
// EXTERNAL_MU takes (FIPS 204, algorithm 7, line 6).
const muSize = 64

// mldsaSet is one parameter set of ML-DSA as a key spec needs it.
type mldsaSet struct {
	oid        []byte // DER element
	parameters mldsa.Parameters
	verifier   *mldsaVerifier
}

var (
	mldsa44 = &mldsaSet{oid: oidMLDSA44, parameters: mldsa.MLDSA44(), verifier: mldsaVerifier44}
	mldsa65 = &mldsaSet{oid: oidMLDSA65, parameters: mldsa.MLDSA65(), verifier: mldsaVerifier65}
	mldsa87 = &mldsaSet{oid: oidMLDSA87, parameters: mldsa.MLDSA87(), verifier: mldsaVerifier87}
)

// mldsaSecret signs with an ML-DSA key. Its input is always the message
// representative mu.
type mldsaSecret struct {
	set     *mldsaSet
	private *mldsa.PrivateKey
	public  []byte
}

// parseMLDSA takes PKCS #8 with a seed, as [GenerateMaterial] makes it (RFC
// 9881 section 6). KMS imports none.
func parseMLDSA(s *Spec, material []byte) (*Key, error) {
	seed, ok := parseSeed(material, s.mldsa.oid, mldsa.PrivateKeySize)
	if !ok {
		return nil, &MaterialError{KeySpec: s.name, Reason: "no ML-DSA seed inside a PKCS #8 in DER"}
	}
	private, err := mldsa.NewPrivateKey(s.mldsa.parameters, seed)
	if err != nil {
		return nil, &MaterialError{KeySpec: s.name, Reason: "seed refused"}
	}
	public := private.PublicKey().Bytes()
	return &Key{
		spec:      s,
		canonical: marshalSeed(s.mldsa.oid, seed),
		public:    marshalSPKI(s.mldsa.oid, nil, public),
		secret:    &mldsaSecret{s.mldsa, private, public},
	}, nil
}

func generateMLDSA(s *Spec) ([]byte, error) {
	return generateSeed(s.mldsa.oid, mldsa.PrivateKeySize), nil
}

// represent implements messageRepresenter: mu for pure ML-DSA with an empty
// context (FIPS 204, algorithms 2 and 7).
func (m *mldsaSecret) represent(message []byte) []byte {
	tr := sha3.SumSHAKE256(m.public, muSize)
	h := sha3.NewSHAKE256()
	h.Write(tr)
	h.Write([]byte{0, 0})
	h.Write(message)
	mu := make([]byte, muSize)
	h.Read(mu)
	return mu
}

// sign implements signer; the result is randomised (recorded).
func (m *mldsaSecret) sign(_ signingAlgorithm, mu []byte) ([]byte, error) {
	return m.private.Sign(rand.Reader, mu, mldsacrypto.MLDSAMu)
}

func (m *mldsaSecret) verify(_ signingAlgorithm, mu, signature []byte) bool {
	return m.set.verifier.verify(m.public, mu, signature)
}
