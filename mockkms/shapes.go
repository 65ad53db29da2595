// SPDX-License-Identifier: Apache-2.0

package mockkms

import "slices"

// A shape holds the constraints of one string, blob, number or list shape of
// the KMS API model (version 2014-11-01). Zero values constrain nothing.
type shape struct {
	min, max int      // length of strings, blobs, lists; value of integers
	class    class    // characters a string consists of
	enum     []string // nil: any
	of       string   // shape of a list's members
}

func (s shape) element() shape { return shapes[s.of] }

// A class is a regular expression of the model. All but one are a repeated set
// of characters, so functions serve and nothing is compiled at start-up.
type class struct {
	expr  string // as the model spells it
	allow func(rune) bool
	empty bool              // the empty string matches, too
	whole func(string) bool // judges instead, where characters are not enough
}

func (c class) matches(s string) bool {
	switch {
	case c.whole != nil:
		return c.whole(s)
	case c.allow == nil:
		return true
	}
	for _, r := range s {
		if !c.allow(r) {
			return false
		}
	}
	return s != "" || c.empty
}

func alphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// letters makes the test for letters, digits and the characters of extra.
func letters(extra string) func(rune) bool {
	set := []rune(extra)
	return func(r rune) bool { return alphanumeric(r) || slices.Contains(set, r) }
}

var (
	aliasClass       = class{expr: `^[a-zA-Z0-9:/_-]+$`, allow: letters(":/_-")}
	hexClass         = class{expr: `^[a-f0-9]+$`, allow: func(r rune) bool { return '0' <= r && r <= '9' || 'a' <= r && r <= 'f' }}
	descriptionClass = class{expr: `^[a-zA-Z0-9:/_\s.-]+$`, allow: letters(":/_.- \t\n\v\f\r")}
	markerClass      = class{expr: `[\u0020-\u00FF]*`, allow: func(r rune) bool { return 0x20 <= r && r <= 0xff }, empty: true}
	regionClass      = class{expr: `^([a-z]+-){2,3}\d+$`, whole: isRegionName}
	wordClass        = class{expr: `[\w]+`, allow: letters("_")}
	principalClass   = class{expr: `^[\w+=,.@:/-]+$`, allow: letters("_+=,.@:/-")}
	digitsClass      = class{expr: `[0-9]{12}`, whole: isAccount}
	xksKeyClass      = class{expr: `^[a-zA-Z0-9-_.]+$`, allow: letters("-_.")}
	accessKeyClass   = class{expr: `^[A-Z2-7]+$`, allow: func(r rune) bool { return 'A' <= r && r <= 'Z' || '2' <= r && r <= '7' }}
	secretKeyClass   = class{expr: `^[a-zA-Z0-9\/+=]+$`, allow: letters("/+=")}
	policyClass      = class{
		expr:  `[\u0009\u000A\u000D\u0020-\u00FF]+`,
		allow: func(r rune) bool { return r == 0x09 || r == 0x0a || r == 0x0d || 0x20 <= r && r <= 0xff },
	}
)

func oneOf(values ...string) shape { return shape{enum: values} }

// shapes is the model's table, under the model's names; the members of
// requests refer to it by name in their `shape` tag.
var shapes = map[string]shape{
	"AliasNameType":              {min: 1, max: 256, class: aliasClass},
	"ArnType":                    {min: 20, max: 2048},
	"AttestationDocumentType":    {min: 1, max: 262144},
	"BackingKeyIdType":           {min: 64, max: 64, class: hexClass},
	"BooleanType":                {},
	"CiphertextType":             {min: 1, max: 6144},
	"CustomKeyStoreIdType":       {min: 1, max: 64},
	"DateType":                   {},
	"DescriptionType":            {max: 8192},
	"DryRunModifierList":         {of: "DryRunModifierType"},
	"EncryptionContextType":      {},
	"GrantIdType":                {min: 1, max: 128},
	"GrantNameType":              {min: 1, max: 256, class: aliasClass},
	"GrantOperationList":         {of: "GrantOperation"},
	"GrantTokenList":             {max: 10, of: "GrantTokenType"},
	"GrantTokenType":             {min: 1, max: 8192},
	"KeyIdType":                  {min: 1, max: 2048},
	"KeyMaterialDescriptionType": {max: 256, class: descriptionClass},
	"LimitType":                  {min: 1, max: 1000},
	"MarkerType":                 {min: 1, max: 1024, class: markerClass},
	"NumberOfBytesType":          {min: 1, max: 1024},
	"PendingWindowInDaysType":    {min: 1, max: 365},
	"PlaintextType":              {min: 1, max: 4096},
	"PolicyNameType":             {min: 1, max: 128, class: wordClass},
	"PolicyType":                 {min: 1, max: 131072, class: policyClass},
	"PrincipalIdType":            {min: 1, max: 256, class: principalClass},
	"ServicePrincipalType":       {min: 1, max: 256, class: principalClass},
	"PublicKeyType":              {min: 1, max: 8192},
	"RegionType":                 {min: 1, max: 32, class: regionClass},
	"RotationPeriodInDaysType":   {min: 90, max: 2560},
	"TagKeyType":                 {min: 1, max: 128},
	"TagList":                    {},
	"TagKeyList":                 {of: "TagKeyType"},
	"TagValueType":               {max: 256},
	"AlgorithmSpec":              oneOf("RSAES_PKCS1_V1_5", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256", "SM2PKE"),
	"CustomerMasterKeySpec":      oneOf("RSA_2048", "RSA_3072", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1", "SYMMETRIC_DEFAULT", "HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512", "SM2"),
	"DataKeyPairSpec":            oneOf("RSA_2048", "RSA_3072", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1", "SM2", "ECC_NIST_EDWARDS25519", "ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"),
	"DataKeySpec":                oneOf("AES_256", "AES_128"),
	"DryRunModifierType":         oneOf("IGNORE_CIPHERTEXT"),
	"EncapsulationAlgorithmSpec": oneOf("ML_KEM"),
	"EncryptionAlgorithmSpec":    oneOf("SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE"),
	"ExpirationModelType":        oneOf("KEY_MATERIAL_EXPIRES", "KEY_MATERIAL_DOES_NOT_EXPIRE"),
	"GrantOperation":             oneOf("Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo", "Sign", "Verify", "GetPublicKey", "CreateGrant", "RetireGrant", "DescribeKey", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "GenerateMac", "VerifyMac", "DeriveSharedSecret", "Encapsulate", "Decapsulate"),
	"ImportType":                 oneOf("NEW_KEY_MATERIAL", "EXISTING_KEY_MATERIAL"),
	"IncludeKeyMaterial":         oneOf("ALL_KEY_MATERIAL", "ROTATIONS_ONLY"),
	"KeyAgreementAlgorithmSpec":  oneOf("ECDH"),
	"KeyEncryptionMechanism":     oneOf("RSAES_OAEP_SHA_256"),
	"KeySpec":                    oneOf("RSA_2048", "RSA_3072", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1", "SYMMETRIC_DEFAULT", "HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512", "SM2", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87", "ECC_NIST_EDWARDS25519", "ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"),
	"KeyUsageType":               oneOf("SIGN_VERIFY", "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT", "ENCAPSULATE_DECAPSULATE"),
	"MacAlgorithmSpec":           oneOf("HMAC_SHA_224", "HMAC_SHA_256", "HMAC_SHA_384", "HMAC_SHA_512"),
	"MessageType":                oneOf("RAW", "DIGEST", "EXTERNAL_MU"),
	"OriginType":                 oneOf("AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"),
	"SigningAlgorithmSpec":       oneOf("RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_384", "RSASSA_PSS_SHA_512", "RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PKCS1_V1_5_SHA_512", "ECDSA_SHA_256", "ECDSA_SHA_384", "ECDSA_SHA_512", "SM2DSA", "ML_DSA_SHAKE_256", "ED25519_SHA_512", "ED25519_PH_SHA_512"),
	"WrappingKeySpec":            oneOf("RSA_2048", "RSA_3072", "RSA_4096", "SM2"),

	// Structures, which constrain nothing themselves
	"GrantConstraints":                     {},
	"RecipientInfo":                        {},
	"XksProxyAuthenticationCredentialType": {},

	// Custom key stores
	"AccountIdType":                                {min: 12, max: 12, class: digitsClass},
	"CloudHsmClusterIdType":                        {min: 19, max: 24, class: clusterClass},
	"CustomKeyStoreNameType":                       {min: 1, max: 256},
	"KeyStorePasswordType":                         {min: 7, max: 32},
	"TrustAnchorCertificateType":                   {min: 1, max: 5000},
	"XksKeyIdType":                                 {min: 1, max: 128, class: xksKeyClass},
	"XksProxyAuthenticationAccessKeyIdType":        {min: 20, max: 30, class: accessKeyClass},
	"XksProxyAuthenticationRawSecretAccessKeyType": {min: 43, max: 64, class: secretKeyClass},
	"XksProxyUriEndpointType":                      {min: 10, max: 128, class: endpointClass},
	"XksProxyUriPathType":                          {min: 10, max: 128, class: xksPathClass},
	"XksProxyVpcEndpointServiceNameType":           {min: 20, max: 64, class: vpcServiceClass},
	"CustomKeyStoreType":                           oneOf("AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"),
	"XksProxyConnectivityType":                     oneOf("PUBLIC_ENDPOINT", "VPC_ENDPOINT_SERVICE"),
}
