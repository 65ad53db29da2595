// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"errors"
	"strings"
	"time"

	"github.com/keymat/keymat/wrap"
)

// maxLifetime is how long KMS keeps material that expires (KMS API,
// ImportKeyMaterial).
const maxLifetime = 365 * 24 * time.Hour

// targets looks at each KMS key by itself.
func (l *linter) targets() {
	switch none := len(l.plan.Targets) == 0; {
	case none && l.plan.Purpose == ForImport:
		l.error("target-none", "targets", "name the KMS key", "no KMS key gets the material")
	case none && l.plan.Purpose == ForDestruction:
		l.warn("target-none", "targets", "name the KMS keys that held the material", "the certificate will say of no KMS key what it holds")
	}
	seen := map[string]string{}
	for _, t := range l.plan.Targets {
		l.wrapping(t)
		l.arn(t)
		place := t.Account + " " + t.Region + " " + t.Key
		if other, ok := seen[place]; ok {
			l.error("target-twice", target(t)+".key", "leave one of them out", "the same key as %s", other)
		}
		seen[place] = t.ID
		if l.plan.Purpose == ForImport && l.plan.Material.Source == FromEscrow && t.Import == ImportNew {
			l.warn("import-type", target(t)+".import", "set import to existing if the key ever had this material",
				"material that comes from an escrow goes into the key as new material")
		}
	}
}

func (l *linter) wrapping(t Target) {
	spec := l.plan.Material.Spec
	err := wrap.Check(spec, t.Wrapping)
	if refused, ok := errors.AsType[*wrap.RefusedError](err); ok {
		l.error("wrapping-refused", target(t)+".wrapping", remedy("use "+wrap.Strongest(spec).String()), "KMS refuses it: %s", refused.Why)
		return
	}
	if err != nil {
		l.error("wrapping-refused", target(t)+".wrapping", remedy("use "+wrap.Strongest(spec).String()), "%v", err)
		return
	}
	if strings.HasSuffix(t.Wrapping.Algorithm.String(), "_SHA_1") && l.plan.Material.Source != FromPKCS11 {
		l.warn("wrapping-weak", target(t)+".wrapping.algorithm", remedy("use "+wrap.Strongest(spec).Algorithm.String()),
			"SHA-1 is for tokens that can do no better, and the source is %s", l.plan.Material.Source)
	}
	if t.Wrapping.KeySpec != wrap.RSA4096 {
		l.warn("wrapping-weak", target(t)+".wrapping.key_spec", "use RSA_4096", "%s is not the strongest wrapping key", t.Wrapping.KeySpec)
	}
}

// partitions says how the names of the Regions begin in each partition but aws.
var partitions = map[string]string{
	"aws-cn": "cn-", "aws-us-gov": "us-gov-", "aws-iso": "us-iso-", "aws-iso-b": "us-isob-", "aws-eusc": "eusc-",
}

// partitionOf is where a Region is.
func partitionOf(region string) string {
	for partition, prefix := range partitions {
		if strings.HasPrefix(region, prefix) {
			return partition
		}
	}
	return "aws"
}

// arn holds what a target says against the ARN of its key.
func (l *linter) arn(t Target) {
	_, known := partitions[t.Partition]
	if is := partitionOf(t.Region); (known || t.Partition == "aws") && is != t.Partition {
		l.error("target-place", target(t)+".region", "put the partition or the Region right", "%s is in the partition %s", t.Region, is)
	}
	parts := strings.Split(t.Key, ":")
	if len(parts) != 6 {
		return // an alias
	}
	for _, part := range []struct{ name, says, arn string }{
		{"partition", t.Partition, parts[1]}, {"region", t.Region, parts[3]}, {"account", t.Account, parts[4]},
	} {
		if part.says != part.arn {
			l.error("target-place", target(t)+"."+part.name, "make both the same, after looking which is meant",
				"%s, but the ARN of the key says %s", part.says, part.arn)
		}
	}
}

// replicas holds the keys of a multi-Region key together. KMS takes material
// for a replica only when its primary has had it (KMS guide, "Importing key
// material into multi-Region keys").
func (l *linter) replicas() {
	for i, t := range l.plan.Targets {
		if t.ReplicaOf == "" {
			continue
		}
		primary, at := l.target(t.ReplicaOf)
		path := target(t) + ".replica_of"
		switch {
		case at < 0 || at == i:
			l.error("replica", path, "name the target that is the primary", "no other target is called %s", t.ReplicaOf)
			continue
		case primary.ReplicaOf != "":
			l.error("replica", path, "name the target that is the primary", "%s is a replica itself", t.ReplicaOf)
		case at > i:
			l.error("replica", path, "put the primary first", "the material goes into the primary before its replicas")
		case primary.Account != t.Account || primary.Partition != t.Partition:
			l.error("replica", path, "make a multi-Region key in one account", "%s is in another account", t.ReplicaOf)
		case primary.Region == t.Region:
			l.error("replica", target(t)+".region", "name the replica's own Region", "the Region is that of its primary")
		}
		if t.Import != ImportExisting {
			l.error("replica", target(t)+".import", "set import to existing", "new material goes into the primary, and the same material into replicas")
		}
		if a, b := keyID(primary.Key), keyID(t.Key); a != "" && b != "" && (a != b || !strings.HasPrefix(a, "mrk-")) {
			l.error("replica", target(t)+".key", "copy the ARN of the replica, whose key ID begins with mrk- and is that of its primary",
				"the key IDs %s and %s are not those of one multi-Region key", a, b)
		}
	}
}

func (l *linter) target(id string) (Target, int) {
	for i, t := range l.plan.Targets {
		if t.ID == id {
			return t, i
		}
	}
	return Target{}, -1
}

// keyID is "" for an alias.
func keyID(key string) string {
	_, id, _ := strings.Cut(key, ":key/")
	return id
}

// expiry looks at when KMS forgets the material. The import happens on the
// plan's day or later, so that what is less than 365 days from its beginning is
// less than that from the import.
func (l *linter) expiry() {
	for _, t := range l.plan.Targets {
		path := target(t) + ".valid_to"
		switch {
		case t.ValidTo.IsZero():
		case !t.ValidTo.After(l.plan.Date.Add(24 * time.Hour)):
			l.error("expiry", path, "choose a later time, or never", "the material would have expired by the end of the ceremony's day")
		case t.ValidTo.After(l.plan.Date.Add(maxLifetime)):
			l.error("expiry", path, remedy("choose "+l.plan.Date.Add(maxLifetime).Format(time.DateOnly)+" at the latest, or never"),
				"KMS keeps material that expires for at most 365 days")
		}
		if first := l.plan.Targets[0]; t.ReplicaOf != "" && !t.ValidTo.Equal(first.ValidTo) {
			l.warn("expiry", path, "let them expire together", "the replica and %s expire at different times", first.ID)
		}
	}
}
