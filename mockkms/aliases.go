// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"strings"
	"time"
)

// maxAliases is the quota of aliases per key.
const maxAliases = 50

type aliasRequest struct {
	AliasName   string `shape:"AliasNameType,required"`
	TargetKeyId string `shape:"KeyIdType,required"`
}

// keyRef names the key that the alias is to point to.
func (r aliasRequest) keyRef() string { return r.TargetKeyId }

func createAlias(c *call, r *aliasRequest) (void, error) {
	return void{}, c.write(func(rec *records) error {
		if err := checkAliasName(r.AliasName); err != nil {
			return err
		}
		k, err := c.aliasTarget(rec, r.TargetKeyId, living)
		if err != nil {
			return err
		}
		if a, err := rec.alias(c.scope, r.AliasName); err != nil {
			return err
		} else if a != nil {
			return refuse("AlreadyExistsException", "An alias with the name %s already exists", c.scope.aliasARN(r.AliasName))
		}
		now := c.now.Truncate(time.Millisecond)
		return rec.pointAlias(&alias{Scope: c.scope, Name: r.AliasName, Created: now, Updated: now}, k)
	})
}

// updateAlias points an alias to another key of the same kind.
func updateAlias(c *call, r *aliasRequest) (void, error) {
	return void{}, c.write(func(rec *records) error {
		if err := checkAliasName(r.AliasName); err != nil {
			return err
		}
		a, err := rec.existingAlias(c.scope, r.AliasName)
		if err != nil {
			return err
		}
		old, err := rec.key(c.scope, a.Target)
		if err != nil {
			return err
		}
		k, err := c.aliasTarget(rec, r.TargetKeyId, living)
		if err != nil {
			return err
		}
		if old.Usage != k.Usage || old.spec().KeyPair() != k.spec().KeyPair() {
			return validation("The current and new target keys of an alias must be of the same type and key usage.") // assumed
		}
		if err := rec.deleteAlias(a); err != nil {
			return err
		}
		a.Updated = c.now.Truncate(time.Millisecond)
		return rec.pointAlias(a, k)
	})
}

// pointAlias stores an alias with the given key as its target.
func (r *records) pointAlias(a *alias, k *key) error {
	if len(r.aliasesOf(k.Scope, k.ID)) >= maxAliases {
		return refuse("LimitExceededException", "The alias limit of %d for the key %s has been reached.", maxAliases, k.arn()) // assumed
	}
	a.Target = k.ID
	return r.putAlias(a)
}

// aliasTarget finds the key an alias is to point to, by key ID or ARN.
func (c *call) aliasTarget(r *records, ref string, admitted stateSet) (*key, error) {
	if strings.HasPrefix(ref, "alias/") || strings.Contains(ref, ":alias/") {
		return nil, validation("Aliases must refer to keys. Not aliases")
	}
	return c.findIn(r, ref, &rule{states: admitted})
}

func checkAliasName(name string) error {
	if err := checkAliasPrefix(name); err != nil {
		return err
	}
	if strings.Contains(name, ":") { // which the API model would let pass; documented, the text is reported
		return validation("%s contains invalid characters for an alias", name)
	}
	return checkCustomerAlias(name)
}

// checkCustomerAlias refuses names that are reserved for AWS's own keys.
func checkCustomerAlias(name string) error {
	if strings.HasPrefix(name, serviceAliases) {
		return refuseSilently("NotAuthorizedException")
	}
	return nil
}

// checkAliasPrefix has the text recorded for CreateAlias.
func checkAliasPrefix(name string) error {
	if !strings.HasPrefix(name, "alias/") || name == "alias/" {
		return validation("Alias must start with the prefix \"alias/\". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html")
	}
	return nil
}

func (r *records) existingAlias(s scope, name string) (*alias, error) {
	a, err := r.alias(s, name)
	if a == nil && err == nil {
		return nil, aliasNotFound(s.aliasARN(name))
	}
	return a, err
}

type deleteAliasRequest struct {
	AliasName string `shape:"AliasNameType,required"`
}

func deleteAlias(c *call, r *deleteAliasRequest) (void, error) {
	return void{}, c.write(func(rec *records) error {
		if err := checkAliasPrefix(r.AliasName); err != nil {
			return err
		}
		a, err := rec.existingAlias(c.scope, r.AliasName)
		if err != nil {
			return err
		}
		c.key = c.scope.keyARN(a.Target)
		if err := checkCustomerAlias(a.Name); err != nil {
			return err
		}
		return rec.deleteAlias(a)
	})
}

type listAliasesRequest struct {
	paging
	KeyId string `shape:"KeyIdType"`
}

type listAliasesAnswer struct {
	Aliases []aliasListEntry
	page
}

type aliasListEntry struct {
	AliasName       string
	AliasArn        string
	TargetKeyId     string
	CreationDate    epoch
	LastUpdatedDate epoch
}

// listAliases lists all aliases of the Region, or those of one key.
func listAliases(c *call, r *listAliasesRequest) (*listAliasesAnswer, error) {
	prefix := c.scope.record(aliasRecords, "")
	if r.KeyId != "" {
		k, err := c.find(r.KeyId, &rule{alias: aliasRefused, states: allStates})
		if err != nil {
			return nil, err
		}
		prefix = c.scope.record(aliasOfRecords, k.ID) + "/"
	}
	answer := &listAliasesAnswer{Aliases: []aliasListEntry{}}
	p, err := r.collect(c, 50, prefix, func(rec *records, record string) (bool, error) {
		a, err := rec.alias(c.scope, "alias/"+strings.TrimPrefix(record, prefix))
		if a == nil {
			return false, err
		}
		answer.Aliases = append(answer.Aliases, aliasListEntry{
			a.Name, c.scope.aliasARN(a.Name), a.Target, epochOf(a.Created), epochOf(a.Updated),
		})
		return true, nil
	})
	answer.page = p
	return answer, err
}
