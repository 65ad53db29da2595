// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

func values[E ~string](enum []E) []string {
	s := make([]string, len(enum))
	for i, v := range enum {
		s[i] = string(v)
	}
	return s
}

// Every enumeration of a request has the values that the SDK knows, in the
// model's order.
func TestEnumerationsAreTheSDKs(t *testing.T) {
	for name, want := range map[string][]string{
		"AlgorithmSpec":              values(types.AlgorithmSpec("").Values()),
		"CustomKeyStoreType":         values(types.CustomKeyStoreType("").Values()),
		"CustomerMasterKeySpec":      values(types.CustomerMasterKeySpec("").Values()),
		"DataKeyPairSpec":            values(types.DataKeyPairSpec("").Values()),
		"DataKeySpec":                values(types.DataKeySpec("").Values()),
		"DryRunModifierType":         values(types.DryRunModifierType("").Values()),
		"EncapsulationAlgorithmSpec": values(types.EncapsulationAlgorithmSpec("").Values()),
		"EncryptionAlgorithmSpec":    values(types.EncryptionAlgorithmSpec("").Values()),
		"ExpirationModelType":        values(types.ExpirationModelType("").Values()),
		"GrantOperation":             values(types.GrantOperation("").Values()),
		"ImportType":                 values(types.ImportType("").Values()),
		"IncludeKeyMaterial":         values(types.IncludeKeyMaterial("").Values()),
		"KeyAgreementAlgorithmSpec":  values(types.KeyAgreementAlgorithmSpec("").Values()),
		"KeyEncryptionMechanism":     values(types.KeyEncryptionMechanism("").Values()),
		"KeySpec":                    values(types.KeySpec("").Values()),
		"KeyUsageType":               values(types.KeyUsageType("").Values()),
		"MacAlgorithmSpec":           values(types.MacAlgorithmSpec("").Values()),
		"MessageType":                values(types.MessageType("").Values()),
		"OriginType":                 values(types.OriginType("").Values()),
		"SigningAlgorithmSpec":       values(types.SigningAlgorithmSpec("").Values()),
		"WrappingKeySpec":            values(types.WrappingKeySpec("").Values()),
		"XksProxyConnectivityType":   values(types.XksProxyConnectivityType("").Values()),
	} {
		if got := mockkms.Enumeration(name); !slices.Equal(got, want) {
			t.Errorf("%s:\ngot  %v\nwant %v", name, got, want)
		}
	}
}
