// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"slices"
	"strings"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

type createGrantRequest struct {
	aboutKey
	GranteePrincipal         string       `shape:"PrincipalIdType"`
	GranteeServicePrincipal  string       `shape:"ServicePrincipalType"`
	RetiringPrincipal        string       `shape:"PrincipalIdType"`
	RetiringServicePrincipal string       `shape:"ServicePrincipalType"`
	Operations               []string     `shape:"GrantOperationList,required"`
	Constraints              *constraints `shape:"GrantConstraints"`
	Name                     string       `shape:"GrantNameType"`
	canRehearse
}

type createGrantAnswer struct {
	GrantToken string
	GrantId    string
}

func createGrant(c *call, rule *rule, r *createGrantRequest) (*createGrantAnswer, error) {
	if _, err := c.tokenSecret(); err != nil { // first, so that nothing fails once the grant is stored
		return nil, err
	}
	var k *key
	var g *grant
	err := c.write(func(rec *records) (err error) {
		if k, err = c.findIn(rec, r.KeyId, rule); err != nil {
			return err
		}
		if err := r.check(c, k); err != nil {
			return err
		}
		if g, err = rec.putGrant(k, newGrant(c, r.terms())); err != nil {
			return err
		}
		return rehearsal(r)
	})
	if err != nil {
		return nil, err
	}
	token, err := c.makeGrantToken(k, g)
	if err != nil {
		return nil, err
	}
	return &createGrantAnswer{token, g.ID}, nil
}

// terms leaves out constraints that constrain nothing.
func (r *createGrantRequest) terms() grantTerms {
	limits := r.Constraints
	if limits != nil && limits.SourceArn == "" && len(limits.EncryptionContextEquals)+len(limits.EncryptionContextSubset) == 0 {
		limits = nil
	}
	return grantTerms{
		Name: r.Name, Operations: r.Operations, Constraints: limits,
		Grantee: r.GranteePrincipal, GranteeService: r.GranteeServicePrincipal,
		Retiring: r.RetiringPrincipal, RetiringService: r.RetiringServicePrincipal,
	}
}

// check judges the request against the key.
func (r *createGrantRequest) check(c *call, k *key) error {
	if err := r.checkPrincipals(c); err != nil {
		return err
	}
	if err := k.checkGrantOperations(r.Operations); err != nil {
		return err
	}
	return r.Constraints.check(k)
}

// checkPrincipals: who gets the grant is a principal or a service, so is who
// may retire it (documented; the texts are assumed).
func (r *createGrantRequest) checkPrincipals(c *call) error {
	switch {
	case r.GranteePrincipal == "" && r.GranteeServicePrincipal == "":
		return validation("Either GranteePrincipal or GranteeServicePrincipal must be specified.")
	case r.GranteePrincipal != "" && r.GranteeServicePrincipal != "":
		return validation("GranteePrincipal and GranteeServicePrincipal cannot be used together.")
	case r.RetiringPrincipal != "" && r.RetiringServicePrincipal != "":
		return validation("RetiringPrincipal and RetiringServicePrincipal cannot be used together.")
	case r.GranteeServicePrincipal != "" && (r.Constraints == nil || r.Constraints.SourceArn == ""):
		return validation("GranteeServicePrincipal requires a SourceArn grant constraint.")
	case r.GranteeServicePrincipal != "" && r.RetiringPrincipal == "" && r.RetiringServicePrincipal == "":
		return validation("GranteeServicePrincipal requires a RetiringPrincipal or RetiringServicePrincipal.")
	}
	if err := c.checkPrincipal(r.GranteePrincipal, invalidARN("GranteePrincipal does not refer to a valid principal.")); err != nil {
		return err
	}
	if err := c.checkPrincipal(r.RetiringPrincipal, invalidARN("RetiringPrincipal does not refer to a valid principal.")); err != nil {
		return err
	}
	for _, p := range []string{r.GranteeServicePrincipal, r.RetiringServicePrincipal} {
		if p != "" && !isServicePrincipal(p) {
			return invalidPrincipal(p)
		}
	}
	return nil
}

// grantOperations are what a grant may allow on a key, in the order of the
// refusal that was recorded for HMAC keys; the rest follows the guide's table.
func (k *key) grantOperations() []string {
	list := []string{"CreateGrant", "RetireGrant", "DescribeKey"}
	if k.spec().KeyPair() {
		list = append(list, "GetPublicKey")
	}
	switch k.Usage {
	case hsm.GenerateVerifyMAC:
		return append(list, "GenerateMac", "VerifyMac")
	case hsm.SignVerify:
		return append(list, "Sign", "Verify")
	case hsm.KeyAgreement:
		return append(list, "DeriveSharedSecret")
	case hsm.EncapsulateDecapsulate:
		return append(list, "Encapsulate", "Decapsulate")
	}
	list = append(list, "Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo")
	if k.symmetric() {
		list = append(list, "GenerateDataKey", "GenerateDataKeyWithoutPlaintext",
			"GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext")
	}
	return list
}

func (k *key) checkGrantOperations(asked []string) error {
	if len(asked) == 0 {
		return validation("Operations must not be empty.") // assumed
	}
	possible := k.grantOperations()
	unfit := slices.DeleteFunc(slices.Clone(asked), func(op string) bool { return slices.Contains(possible, op) })
	if len(unfit) == 0 {
		return nil
	}
	kind := "a symmetric"
	if k.spec().KeyPair() {
		kind = "an asymmetric"
	}
	return validation("Operations [%s] are not supported when creating a grant for %s KMS key with key usage %s. Valid operations are [%s]",
		strings.Join(unfit, ", "), kind, k.Usage, strings.Join(possible, ", "))
}

// Limits of an encryption context in a grant constraint (CreateGrant in the API
// reference): pairs, and characters of a value.
const (
	maxConstraintPairs = 8
	maxConstraintValue = 384
)

func (c *constraints) check(k *key) error {
	if c == nil {
		return nil
	}
	if !k.symmetric() && len(c.EncryptionContextEquals)+len(c.EncryptionContextSubset) > 0 {
		return validation("EncryptionContext is supported only when creating a grant for a symmetric encryption KMS key.")
	}
	for _, context := range []map[string]string{c.EncryptionContextEquals, c.EncryptionContextSubset} {
		if len(context) > maxConstraintPairs {
			return validation("A grant constraint cannot have more than %d encryption context pairs.", maxConstraintPairs) // assumed
		}
		for _, value := range context {
			if len([]rune(value)) > maxConstraintValue {
				return validation("An encryption context value in a grant constraint cannot exceed %d characters.", maxConstraintValue) // assumed
			}
		}
	}
	return nil
}
