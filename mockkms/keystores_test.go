// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"strings"
	"testing"

	"github.com/keymat/keymat/mockkms"
)

// An account without custom key stores.
func TestCustomKeyStores(t *testing.T) {
	mock := mockkms.New()
	const xks = `"CustomKeyStoreName": "n", "CustomKeyStoreType": "EXTERNAL_KEY_STORE"`
	const proxy = `, "XksProxyUriEndpoint": "https://x.example", "XksProxyUriPath": "/kms/xks/v1",
		"XksProxyAuthenticationCredential": {"AccessKeyId": "ABCDEFGHIJKLMNOPQRST", "RawSecretAccessKey": "0123456789012345678901234567890123456789012"}`
	for _, tt := range []struct{ operation, members, want string }{
		{"DescribeCustomKeyStores", ``, ""},
		{"DescribeCustomKeyStores", `"CustomKeyStoreId": "cks-1"`, "CustomKeyStoreNotFoundException"},
		{"DescribeCustomKeyStores", `"CustomKeyStoreName": "n"`, "CustomKeyStoreNotFoundException"},
		{"DescribeCustomKeyStores", `"CustomKeyStoreName": "n", "CustomKeyStoreId": "c"`, "ValidationException: CustomKeyStoreId and CustomKeyStoreName cannot be used together."},
		{"DescribeCustomKeyStores", `"Marker": "x"`, "InvalidMarkerException"},
		{"ConnectCustomKeyStore", `"CustomKeyStoreId": "cks-1"`, "CustomKeyStoreNotFoundException"},
		{"DisconnectCustomKeyStore", `"CustomKeyStoreId": "cks-1"`, "CustomKeyStoreNotFoundException"},
		{"DeleteCustomKeyStore", `"CustomKeyStoreId": "cks-1"`, "CustomKeyStoreNotFoundException"},
		{"UpdateCustomKeyStore", `"CustomKeyStoreId": "cks-1"`, "CustomKeyStoreNotFoundException"},
		{"DeleteCustomKeyStore", ``, "ValidationException: 1 validation error detected: Value null at 'customKeyStoreId' failed to satisfy constraint: Member must not be null"},
		{"CreateCustomKeyStore", `"CustomKeyStoreName": "n"`, "ValidationException: CloudHsmClusterId, KeyStorePassword and TrustAnchorCertificate are required for an AWS CloudHSM key store."},
		{"CreateCustomKeyStore", `"CustomKeyStoreName": "n", "CloudHsmClusterId": "cluster-2a23b4cdefg", "KeyStorePassword": "1234567", "TrustAnchorCertificate": "x"`,
			"CloudHsmClusterNotFoundException"},
		{"CreateCustomKeyStore", xks, "ValidationException: XksProxyConnectivity, XksProxyUriEndpoint, XksProxyUriPath and XksProxyAuthenticationCredential are required for an external key store."},
		{"CreateCustomKeyStore", xks + proxy + `, "XksProxyConnectivity": "PUBLIC_ENDPOINT"`, "XksProxyUriUnreachableException"},
		{"CreateCustomKeyStore", xks + proxy + `, "XksProxyConnectivity": "VPC_ENDPOINT_SERVICE"`, "XksProxyVpcEndpointServiceNotFoundException"},
		{"CreateKey", `"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": "cks-1"`, "CustomKeyStoreNotFoundException"},
		{"CreateKey", `"CustomKeyStoreId": "cks-1"`, "CustomKeyStoreNotFoundException"},
		{"CreateKey", `"Origin": "EXTERNAL_KEY_STORE"`, "ValidationException: CustomKeyStoreId must be specified for Origin EXTERNAL_KEY_STORE."},
		{"GenerateRandom", `"NumberOfBytes": 1, "CustomKeyStoreId": "cks-1"`, "CustomKeyStoreNotFoundException"},
	} {
		got := send(t, mock, tt.operation, `{`+tt.members+`}`)
		if said := strings.TrimSuffix(got.Type+": "+got.message(), ": "); said != tt.want {
			t.Errorf("%s %s:\ngot  %s\nwant %s", tt.operation, tt.members, said, tt.want)
		}
	}
	if got := send(t, mock, "DescribeCustomKeyStores", `{}`).body; got != `{"CustomKeyStores":[],"Truncated":false}` {
		t.Errorf("got %s", got)
	}
}
