// SPDX-License-Identifier: Apache-2.0

package mockkms

// The operations on custom key stores answer as for an account that has none
// and whose clusters and proxies nobody can reach.

type createCustomKeyStoreRequest struct {
	CustomKeyStoreName     string `shape:"CustomKeyStoreNameType,required"`
	TrustAnchorCertificate string `shape:"TrustAnchorCertificateType"`
	CustomKeyStoreType     string `shape:"CustomKeyStoreType"`
	keyStoreSettings
}

// keyStoreSettings are what can be changed later.
type keyStoreSettings struct {
	CloudHsmClusterId                string         `shape:"CloudHsmClusterIdType"`
	KeyStorePassword                 string         `shape:"KeyStorePasswordType"`
	XksProxyUriEndpoint              string         `shape:"XksProxyUriEndpointType"`
	XksProxyUriPath                  string         `shape:"XksProxyUriPathType"`
	XksProxyVpcEndpointServiceName   string         `shape:"XksProxyVpcEndpointServiceNameType"`
	XksProxyVpcEndpointServiceOwner  string         `shape:"AccountIdType"`
	XksProxyAuthenticationCredential *xksCredential `shape:"XksProxyAuthenticationCredentialType"`
	XksProxyConnectivity             string         `shape:"XksProxyConnectivityType"`
}

type xksCredential struct {
	AccessKeyId        string `shape:"XksProxyAuthenticationAccessKeyIdType,required"`
	RawSecretAccessKey string `shape:"XksProxyAuthenticationRawSecretAccessKeyType,required"`
}

// createCustomKeyStore finds neither cluster nor proxy. Which members each type
// needs is documented; the texts are assumed.
func createCustomKeyStore(_ *call, r *createCustomKeyStoreRequest) (void, error) {
	if r.CustomKeyStoreType == "EXTERNAL_KEY_STORE" {
		switch {
		case r.XksProxyConnectivity == "", r.XksProxyUriEndpoint == "", r.XksProxyUriPath == "", r.XksProxyAuthenticationCredential == nil:
			return void{}, validation("XksProxyConnectivity, XksProxyUriEndpoint, XksProxyUriPath and XksProxyAuthenticationCredential are required for an external key store.")
		case r.XksProxyConnectivity == "VPC_ENDPOINT_SERVICE":
			return void{}, refuseSilently("XksProxyVpcEndpointServiceNotFoundException")
		}
		return void{}, refuseSilently("XksProxyUriUnreachableException")
	}
	if r.CloudHsmClusterId == "" || r.KeyStorePassword == "" || r.TrustAnchorCertificate == "" {
		return void{}, validation("CloudHsmClusterId, KeyStorePassword and TrustAnchorCertificate are required for an AWS CloudHSM key store.")
	}
	return void{}, refuseSilently("CloudHsmClusterNotFoundException")
}

type customKeyStoreRequest struct {
	CustomKeyStoreId string `shape:"CustomKeyStoreIdType,required"`
}

// useCustomKeyStore connects, disconnects or deletes a store that is not there.
func useCustomKeyStore(*call, *customKeyStoreRequest) (void, error) {
	return void{}, noSuchKeyStore()
}

type updateCustomKeyStoreRequest struct {
	customKeyStoreRequest
	NewCustomKeyStoreName string `shape:"CustomKeyStoreNameType"`
	keyStoreSettings
}

func updateCustomKeyStore(*call, *updateCustomKeyStoreRequest) (void, error) {
	return void{}, noSuchKeyStore()
}

type describeCustomKeyStoresRequest struct {
	CustomKeyStoreId   string `shape:"CustomKeyStoreIdType"`
	CustomKeyStoreName string `shape:"CustomKeyStoreNameType"`
	paging
}

type describeCustomKeyStoresAnswer struct {
	CustomKeyStores []struct{}
	page
}

func describeCustomKeyStores(_ *call, r *describeCustomKeyStoresRequest) (*describeCustomKeyStoresAnswer, error) {
	switch {
	case r.CustomKeyStoreId != "" && r.CustomKeyStoreName != "":
		return nil, validation("CustomKeyStoreId and CustomKeyStoreName cannot be used together.") // assumed
	case r.CustomKeyStoreId != "" || r.CustomKeyStoreName != "":
		return nil, noSuchKeyStore()
	}
	list, p, err := slicePage(&r.paging, 100, "keystores", []struct{}{}, func(struct{}) string { return "" })
	if err != nil {
		return nil, err
	}
	return &describeCustomKeyStoresAnswer{list, p}, nil
}
