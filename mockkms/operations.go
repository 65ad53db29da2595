// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"maps"
	"reflect"
	"slices"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

// An operation is a row of the table: how its request is read, which keys it
// takes in which states, and the handler.
type operation struct {
	rule   *rule // nil: concerns no key, or finds its keys by itself
	writes bool
	decode func(body []byte) (any, *apiError)
	serve  func(c *call, request any) (any, error)
}

// A rule says on which keys an operation is admitted. The checks happen in the
// order of the fields (recorded: origin before state, state before usage).
type rule struct {
	alias  aliasRule
	origin string   // "" is any
	states stateSet // others get the state's error
	usage  string   // "" is any
}

// keyed is a request that names a key.
type keyed interface{ keyRef() string }

// aboutKey is the KeyId member of such requests.
type aboutKey struct {
	KeyId string `shape:"KeyIdType,required"`
}

func (a aboutKey) keyRef() string { return a.KeyId }

// rehearsed is a request with the DryRun switch.
type rehearsed interface{ dryRun() bool }

// withDryRun holds the switch.
type withDryRun struct {
	DryRun bool `shape:"BooleanType"`
}

func (r withDryRun) dryRun() bool { return r.DryRun }

// rehearsal ends a dry run that went well: the real outcome of anything else
// comes first (recorded). Within an update it keeps what was done from staying.
func rehearsal(request any) error {
	if r, ok := request.(rehearsed); ok && r.dryRun() {
		return dryRunSucceeded()
	}
	return nil
}

// tokened is a request that may bring grant tokens.
type tokened interface{ grantTokens() []string }

// withGrantTokens holds them.
type withGrantTokens struct {
	GrantTokens []string `shape:"GrantTokenList"`
}

func (r withGrantTokens) grantTokens() []string { return r.GrantTokens }

// canRehearse holds the members that every cryptographic operation has.
type canRehearse struct {
	withDryRun
	withGrantTokens
}

// enclaved is a request that may come from a Nitro enclave.
type enclaved interface{ attested() bool }

// withRecipient holds the attestation document of an enclave, to whose key the
// answer would be encrypted.
type withRecipient struct {
	Recipient *recipientInfo `shape:"RecipientInfo"`
}

type recipientInfo struct {
	KeyEncryptionAlgorithm string `shape:"KeyEncryptionMechanism"`
	AttestationDocument    []byte `shape:"AttestationDocumentType"`
}

func (r withRecipient) attested() bool { return r.Recipient != nil }

// void is the answer of operations that have none: an empty body.
type void struct{}

// hollow is the answer of operations that have no output in the API's model
// either, and yet answer an empty object (recorded).
type hollow struct{}

// reads makes an operation that looks at one key. The handler runs outside of
// any transaction, on a key nobody changes.
func reads[R keyed, A any](r rule, handle func(*call, *key, R) (A, error)) operation {
	return makeOperation(&r, false, func(c *call, request R) (a A, err error) {
		k, err := c.find(request.keyRef(), &r)
		if err != nil {
			return a, err
		}
		if r.usage != "" {
			c.uses(k)
		}
		return handle(c, k, request)
	})
}

// changes makes an operation that changes one key. The handler runs within
// the update, on a copy of its own that is kept if it returns no error.
func changes[R keyed, A any](r rule, handle func(*call, *key, R) (A, error)) operation {
	return makeOperation(&r, true, func(c *call, request R) (a A, err error) {
		err = c.change(request.keyRef(), &r, func(_ *records, k *key) (err error) {
			if a, err = handle(c, k, request); err == nil {
				err = rehearsal(request)
			}
			return err
		})
		return a, err
	})
}

// stands makes an operation that concerns no key or several, and does its own
// reading and writing.
func stands[R, A any](writes bool, handle func(*call, R) (A, error)) operation {
	return makeOperation(nil, writes, handle)
}

// inTwoSteps makes an operation that works on a snapshot of the key first,
// then changes the key by itself.
func inTwoSteps[R keyed, A any](r rule, handle func(*call, *rule, R) (A, error)) operation {
	return makeOperation(&r, true, func(c *call, request R) (A, error) { return handle(c, &r, request) })
}

// makeOperation ties a handler to the wire. R is a pointer to a request type.
func makeOperation[R, A any](r *rule, writes bool, handle func(*call, R) (A, error)) operation {
	t := reflect.TypeFor[R]().Elem()
	s := schemaOf(t)
	return operation{
		rule:   r,
		writes: writes,
		decode: func(body []byte) (any, *apiError) {
			v := reflect.New(t)
			err := s.decode(body, v.Elem())
			return v.Interface(), err
		},
		serve: func(c *call, request any) (any, error) {
			if err := c.admitRequest(request); err != nil {
				return nil, err
			}
			if c.caller != nil {
				if err := c.authorize(r, request); err != nil {
					return nil, err
				}
			}
			answer, err := handle(c, request.(R))
			if err == nil {
				err = rehearsal(request)
			}
			if err != nil {
				return nil, err
			}
			c.noteUsage()
			return answer, nil
		},
	}
}

// admitRequest refuses what is wrong with a request whatever its key: foreign
// grant tokens, and attestation documents, which nothing here can check. To
// answer an enclave in plain would be worse than not at all.
func (c *call) admitRequest(request any) error {
	if r, ok := request.(tokened); ok && len(r.grantTokens()) > 0 {
		if err := c.checkGrantTokens(r.grantTokens()); err != nil {
			return err
		}
	}
	if r, ok := request.(enclaved); ok && r.attested() {
		return validation("The attestation document in the request could not be verified.") // assumed
	}
	return nil
}

// The states in which the groups of operations are admitted, from the key
// state table of the Developer Guide and what was recorded.
const allStates = stateSet(1<<stateCount - 1)

var (
	enabled    = states(stateEnabled)
	switchable = states(stateEnabled, stateDisabled)
	usable     = states(stateEnabled, stateUpdating)
	readable   = states(stateEnabled, stateUpdating, stateDisabled) // GetPublicKey
	importable = states(stateEnabled, stateDisabled, statePendingImport)
	deleting   = states(statePendingDeletion, statePendingReplicaDeletion)
	living     = allStates &^ deleting
	settled    = allStates &^ states(stateCreating, stateUpdating)
)

// OperationNames lists the operations of the API that the mock knows, such as "ImportKeyMaterial", in alphabetical order.
func OperationNames() []string { return slices.Sorted(maps.Keys(operations())) }

// operations makes the table of all operations.
func operations() map[string]operation {
	var (
		anyKey       = rule{alias: aliasRefused, states: allStates}
		livingKey    = rule{alias: aliasRefused, states: living}
		encryption   = rule{states: usable, usage: hsm.EncryptDecrypt}
		signing      = rule{states: usable, usage: hsm.SignVerify}
		mac          = rule{states: usable, usage: hsm.GenerateVerifyMAC}
		agreement    = rule{states: usable, usage: hsm.KeyAgreement}
		switching    = rule{alias: aliasRefused, states: switchable}
		externalKey  = rule{alias: aliasRefused, origin: originExternal, states: importable}
		rotation     = rule{alias: aliasRefusedHere, states: enabled}
		regional     = rule{alias: aliasRefusedHere, states: enabled}
		primarily    = rule{alias: aliasRefusedHere, states: usable}
		scheduling   = rule{alias: aliasRefusedHere, origin: originKMS, states: enabled}
		rotationInfo = rule{alias: aliasRefusedHere, states: allStates}
		grants       = rule{alias: aliasRefusedHere, states: allStates} // the alias text is reported
		dataKeyPair  = rule{states: usable}                             // judges the usage by itself
		kem          = rule{states: usable, usage: hsm.EncapsulateDecapsulate}
	)
	return map[string]operation{
		// Keys
		"CreateKey":            stands(true, createKey),
		"DescribeKey":          bringsServiceKeys(reads(rule{states: allStates}, describeKey)),
		"ListKeys":             stands(false, listKeys),
		"EnableKey":            changes(switching, enableKey),
		"DisableKey":           changes(switching, disableKey),
		"ScheduleKeyDeletion":  changes(rule{alias: aliasRefused, states: living &^ states(stateUpdating)}, scheduleKeyDeletion),
		"CancelKeyDeletion":    changes(rule{alias: aliasRefused, states: deleting}, cancelKeyDeletion),
		"UpdateKeyDescription": changes(livingKey, updateKeyDescription),
		"GetKeyPolicy":         reads(anyKey, getKeyPolicy),
		"PutKeyPolicy":         changes(anyKey, putKeyPolicy),
		"ListKeyPolicies":      reads(anyKey, listKeyPolicies),
		"TagResource":          changes(livingKey, tagResource),
		"UntagResource":        changes(livingKey, untagResource),
		"ListResourceTags":     reads(anyKey, listResourceTags),
		"GetKeyLastUsage":      reads(anyKey, getKeyLastUsage),

		// Aliases
		"CreateAlias": stands(true, createAlias),
		"UpdateAlias": stands(true, updateAlias),
		"DeleteAlias": stands(true, deleteAlias),
		"ListAliases": stands(false, listAliases),

		// Grants
		"CreateGrant":         inTwoSteps(rule{alias: aliasRefusedHere, states: usable}, createGrant),
		"ListGrants":          reads(grants, listGrants),
		"ListRetirableGrants": stands(false, listRetirableGrants),
		"RetireGrant":         stands(true, retireGrant),
		"RevokeGrant":         inTwoSteps(grants, revokeGrant),

		// Custom key stores
		"CreateCustomKeyStore":     stands(false, createCustomKeyStore),
		"ConnectCustomKeyStore":    stands(false, useCustomKeyStore),
		"DisconnectCustomKeyStore": stands(false, useCustomKeyStore),
		"DeleteCustomKeyStore":     stands(false, useCustomKeyStore),
		"UpdateCustomKeyStore":     stands(false, updateCustomKeyStore),
		"DescribeCustomKeyStores":  stands(false, describeCustomKeyStores),

		// Imported key material
		"GetParametersForImport": inTwoSteps(externalKey, getParametersForImport),
		"ImportKeyMaterial": inTwoSteps(rule{alias: aliasRefused, origin: originExternal, states: importable | states(stateUpdating)},
			importKeyMaterial),
		"DeleteImportedKeyMaterial": changes(rule{alias: aliasRefused, origin: originExternal, states: settled},
			deleteImportedKeyMaterial),

		// Multi-Region keys
		"ReplicateKey":        inTwoSteps(regional, replicateKey),
		"UpdatePrimaryRegion": inTwoSteps(primarily, updatePrimaryRegion),

		// Rotation
		"EnableKeyRotation":    changes(scheduling, enableKeyRotation),
		"DisableKeyRotation":   changes(scheduling, disableKeyRotation),
		"GetKeyRotationStatus": reads(rotationInfo, getKeyRotationStatus),
		"ListKeyRotations":     reads(rotationInfo, listKeyRotations),
		"RotateKeyOnDemand":    changes(rotation, rotateKeyOnDemand),

		// Cryptography
		"Encrypt":                         reads(encryption, encrypt),
		"Decrypt":                         stands(false, decrypt),
		"ReEncrypt":                       stands(false, reEncrypt),
		"GenerateDataKey":                 reads(encryption, generateDataKey),
		"GenerateDataKeyWithoutPlaintext": reads(encryption, generateDataKeyWithoutPlaintext),
		"GenerateRandom":                  stands(false, generateRandom),
		"GenerateMac":                     reads(mac, generateMac),
		"VerifyMac":                       reads(mac, verifyMac),
		"Sign":                            reads(signing, sign),
		"Verify":                          reads(signing, verify),
		"GetPublicKey":                    reads(rule{states: readable}, getPublicKey),
		"DeriveSharedSecret":              reads(agreement, deriveSharedSecret),

		// Data key pairs and key encapsulation
		"GenerateDataKeyPair":                 reads(dataKeyPair, generateDataKeyPair),
		"GenerateDataKeyPairWithoutPlaintext": reads(dataKeyPair, generateDataKeyPairWithoutPlaintext),
		"Encapsulate":                         reads(kem, encapsulate),
		"Decapsulate":                         reads(kem, decapsulate),
	}
}
