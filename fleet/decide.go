// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/fleet/manifest"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// Facts are what a decision takes beside the key itself.
type Facts struct {
	Now     time.Time // at KMS
	Region  string    // of the key's place
	Headers Headers

	// Explain puts an error into words; nil is its Error method.
	Explain func(error) string
}

// Decide says what becomes of one key of a manifest that KMS shows as f. It
// makes no call, but reads the headers of escrows where material is needed.
func Decide(k manifest.Key, f Found, facts Facts) Change {
	d := &decision{key: k, found: f, Facts: facts, Change: Change{Name: k.Name, Place: k.Place, Action: Nothing}}
	if d.Explain == nil {
		d.Explain = error.Error
	}
	for _, c := range f.Copies {
		d.Seen = append(d.Seen, Seen{KeyARN: c.Key.ARN, State: c.Key.State, MaterialID: c.Key.MaterialID, Expiry: c.Key.Expiry})
	}
	if err := d.decide(); err != nil {
		d.Action, d.Why, d.Steps = Cannot, err.Error(), nil
		return d.Change
	}
	d.Why = strings.Join(append(d.why, d.notes...), "; ")
	return d.Change
}

// decision is a change while it is made up.
type decision struct {
	key   manifest.Key
	found Found
	Facts
	Change

	read  map[string]Header // escrows looked at, by path
	why   []string          // what asks for a step, or that nothing does
	notes []string          // what else people should know
}

// A refusal says why a key cannot be brought into the state asked for.
type refusal string

func (r refusal) Error() string { return string(r) }

func refuse(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

func (d *decision) because(format string, args ...any) {
	d.why = append(d.why, fmt.Sprintf(format, args...))
}

// rank orders actions: a change takes the name of the greatest of its steps.
var rank = map[Action]int{Nothing: 0, Delete: 1, Renew: 2, Rotate: 3, Reimport: 4, Import: 5, Create: 6}

func (d *decision) take(a Action, s Step) {
	if rank[a] > rank[d.Action] {
		d.Action = a
	}
	d.Steps = append(d.Steps, s)
}

func (d *decision) decide() error {
	if d.found.Err != nil {
		return refuse("cannot be looked at: %s", d.Explain(d.found.Err))
	}
	if len(d.found.Copies) == 0 {
		return d.decideAbsent()
	}
	if err := d.checkKey(d.found.Copies[0].Key); err != nil {
		return err
	}
	if d.key.Want == manifest.Deleted {
		return d.decideDeleted()
	}
	return d.decideImported()
}

// decideAbsent is for a key that does not exist.
func (d *decision) decideAbsent() error {
	alias := d.key.Ref[strings.LastIndexByte(d.key.Ref, ':')+1:]
	switch {
	case d.key.Want == manifest.Deleted:
		d.because("there is no such key")
		return nil
	case !strings.HasPrefix(alias, "alias/"):
		return refuse("there is no key %s in %s, and a key that is made gets an ID of its own: name it by an alias", d.key.Ref, d.Region)
	}
	header, err := d.header(d.key.Escrow)
	if err != nil {
		return err
	}
	spec := header.Spec
	if d.key.Spec != "" && d.key.Spec != spec {
		return refuse("the escrow %s holds %s material, and %s is asked for", d.key.Escrow, spec, d.key.Spec)
	}
	d.because("%s names no key in %s", alias, d.Region)
	d.take(Create, Step{Do: DoCreate, Region: d.Region, Create: importer.CreateRequest{
		Spec: spec, Usage: d.key.Usage, Alias: alias, MultiRegion: d.key.MultiRegion, Description: d.key.Description, Tags: d.key.Tags,
	}})
	if err := d.bring(d.key.Escrow, Create, importer.Key{Spec: spec}, d.Region, ""); err != nil {
		return err
	}
	for _, region := range d.key.Replicas {
		d.take(Create, Step{Do: DoReplicate, Region: region})
		if err := d.bring(d.key.Escrow, Create, importer.Key{Spec: spec}, region, ""); err != nil {
			return err
		}
	}
	return d.rotateIfDue(importer.Key{Spec: spec, State: types.KeyStatePendingImport}, nil)
}

// checkKey tells whether the key found is one as the manifest describes it.
func (d *decision) checkKey(k importer.Key) error {
	switch {
	case k.Origin != types.OriginTypeExternal:
		return refuse("%s has origin %s: only a key made with origin EXTERNAL takes imported material", k.ARN, k.Origin)
	case k.Replica:
		return refuse("%s is a replica: name its primary, in %s, and the replicas follow", k.ARN, importer.RegionOf(k.Copies[0]))
	case d.key.Spec != "" && k.Spec != d.key.Spec:
		return refuse("%s is a %s key, and %s is asked for", k.ARN, k.Spec, d.key.Spec)
	case d.key.Usage != "" && k.Usage != d.key.Usage:
		return refuse("%s is for %s, and %s is asked for", k.ARN, k.Usage, d.key.Usage)
	case len(d.key.Replicas) > 0 && !k.MultiRegion:
		return refuse("%s is a single-Region key, which never has replicas", k.ARN)
	}
	return nil
}

// decideDeleted is for a key that shall have no material.
func (d *decision) decideDeleted() error {
	for _, c := range d.found.Copies {
		if c.Err != nil {
			return refuse("its copy in %s cannot be looked at: %s", importer.RegionOf(c.Key.ARN), d.Explain(c.Err))
		}
		switch c.Key.State {
		case types.KeyStatePendingDeletion, types.KeyStatePendingReplicaDeletion:
			d.notes = append(d.notes, d.where(c.Key)+"the key itself is scheduled for deletion")
			continue
		}
		for _, id := range present(c, d.Now) {
			d.take(Delete, Step{Do: DoDelete, Region: c.Key.Region(), KeyARN: c.Key.ARN, MaterialID: id})
			d.because("%smaterial %sis there, and shall be deleted", d.where(c.Key), named(id))
		}
	}
	if len(d.Steps) == 0 && len(d.notes) == 0 {
		d.because("no material is there")
	}
	return nil
}

// present are the materials of a copy that are there, by their IDs: "" for one
// without.
func present(c FoundCopy, now time.Time) (ids []string) {
	for _, m := range c.Materials {
		if !m.Missing(now) {
			ids = append(ids, m.ID)
		}
	}
	if len(c.Materials) == 0 && c.Key.State != types.KeyStatePendingImport {
		ids = append(ids, c.Key.MaterialID)
	}
	return ids
}

// named begins with what people know a material by, if it has an ID.
func named(id string) string {
	if id == "" {
		return ""
	}
	return id[:min(len(id), 12)] + "… "
}

// where says in which Region something is found, where there are several.
func (d *decision) where(k importer.Key) string {
	if len(d.found.Copies) > 1 {
		return k.Region() + ": "
	}
	return ""
}

// pair chooses how to wrap.
func (d *decision) pair(spec material.Spec) (wrap.Pair, error) {
	pair, err := wrap.Choose(spec, d.key.Wrapping.Algorithm, d.key.Wrapping.KeySpec)
	if err == nil {
		err = pair.Algorithm.Usable()
	}
	if err != nil {
		return wrap.Pair{}, refuse("wrapping: %v", err)
	}
	return pair, nil
}
