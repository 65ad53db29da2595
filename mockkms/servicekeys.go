// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"strings"
	"time"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

// serviceAliases is how the aliases of AWS-managed keys begin; nobody else may
// give or take such a name.
const serviceAliases = "alias/aws/"

// A service is an AWS service that has a key of its own in every account and
// Region that uses it: an AWS-managed key.
type service struct {
	protects string // in the key's description
	through  string // the service, by its full name in the key's policy
	use      string // and by its short one
	endpoint string // of the calls that the policy allows
}

// services are those whose keys the mock has, by the end of their alias. That of
// SQS is recorded; the others are assumed to be worded like it.
var services = map[string]service{
	"ebs":            {"EBS volumes", "EBS", "EBS", "ec2"},
	"lambda":         {"Lambda functions", "AWS Lambda", "Lambda", "lambda"},
	"rds":            {"RDS database volumes", "RDS", "RDS", "rds"},
	"s3":             {"S3 objects", "S3", "S3", "s3"},
	"secretsmanager": {"Secrets Manager data", "AWS Secrets Manager", "AWS Secrets Manager", "secretsmanager"},
	"sqs":            {"SQS messages", "Simple Queue Service (SQS)", "SQS", "sqs"},
	"ssm":            {"SSM parameters", "SSM", "SSM", "ssm"},
}

// bringsServiceKeys lets DescribeKey make an AWS-managed key that was not there
// before, when it is asked for by its alias (API reference, KeyId).
func bringsServiceKeys(describe operation) operation {
	serve := describe.serve
	describe.serve = func(c *call, request any) (any, error) {
		name, of := c.scope.serviceAlias(request.(keyed).keyRef())
		if of != (service{}) {
			if err := c.ensureServiceKey(name, of); err != nil {
				return nil, err
			}
		}
		return serve(c, request)
	}
	return describe
}

// serviceAlias is the alias of an AWS-managed key that ref names or is the ARN
// of, and the service whose it is; nothing for all other references.
func (s scope) serviceAlias(ref string) (name string, of service) {
	if !strings.Contains(ref, serviceAliases) {
		return "", service{} // as nearly always, at no cost
	}
	name = strings.TrimPrefix(ref, s.aliasARN(""))
	if end, ok := strings.CutPrefix(name, serviceAliases); ok {
		of = services[end]
	}
	return name, of
}

// ensureServiceKey makes the key of a service, with its alias, unless it is
// there.
func (c *call) ensureServiceKey(name string, of service) error {
	there := false
	look := func(r *records) error {
		a, err := r.alias(c.scope, name)
		there = a != nil
		return err
	}
	if err := c.read(look); err != nil || there {
		return err
	}
	k, err := c.newServiceKey(name, of)
	if err != nil {
		return err
	}
	raw, err := k.encode()
	if err != nil {
		return err
	}
	return c.write(func(r *records) error {
		if err := look(r); err != nil || there { // another call was faster
			return err
		}
		if err := r.addKey(k, raw); err != nil {
			return err
		}
		return r.pointAlias(&alias{Scope: c.scope, Name: name, Created: k.Created, Updated: k.Created}, k)
	})
}

func (c *call) newServiceKey(name string, of service) (*key, error) {
	end := strings.TrimPrefix(name, serviceAliases)
	k := &key{
		Scope:       c.scope,
		ID:          newUUID(),
		Created:     c.now.Truncate(time.Millisecond),
		Description: "Default key that protects my " + of.protects + " when no other key is defined",
		Spec:        hsm.SymmetricDefault,
		Usage:       hsm.EncryptDecrypt,
		Origin:      originKMS,
		Service:     end,
		Policy:      c.scope.servicePolicy(end, of),
		Identity:    newIdentity(),
	}
	m, err := firstMaterial(k)
	if err != nil {
		return nil, err
	}
	k.Materials = append(k.Materials, m)
	return k, nil
}

// admitService refuses to let a customer do with an AWS-managed key what its
// policy keeps for the service (recorded for the rotation operations). Where
// policies are enforced, they have said so before.
func (c *call) admitService(k *key) error {
	if k.Service == "" || c.caller != nil || c.operation == "RevokeGrant" {
		return nil
	}
	for _, allowed := range []string{"Describe", "Get", "List"} {
		if strings.HasPrefix(c.operation, allowed) {
			return nil
		}
	}
	action := c.operation
	if action == "ReEncrypt" {
		action = "ReEncryptTo" // for nothing is encrypted under it
	}
	return denied(c.userARN(), action, " on resource: "+k.arn(), missingAllow("resource", action))
}

func (s scope) servicePolicy(name string, of service) string {
	return strings.NewReplacer("SERVICE", name, "THROUGH", of.through, "USE", of.use, "ENDPOINT", of.endpoint,
		"REGION", s.Region, "ACCOUNT", s.Account, "ROOT", s.rootARN()).Replace(autoService1)
}

// autoService1 is the policy of an AWS-managed key, as recorded for SQS.
const autoService1 = `{
  "Version" : "2012-10-17",
  "Id" : "auto-SERVICE-1",
  "Statement" : [ {
    "Sid" : "Allow access through THROUGH for all principals in the account that are authorized to use USE",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "*"
    },
    "Action" : [ "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey" ],
    "Resource" : "*",
    "Condition" : {
      "StringEquals" : {
        "kms:ViaService" : "ENDPOINT.REGION.amazonaws.com",
        "kms:CallerAccount" : "ACCOUNT"
      }
    }
  }, {
    "Sid" : "Allow direct access to key metadata to the account",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "ROOT"
    },
    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant" ],
    "Resource" : "*"
  } ]
}`
