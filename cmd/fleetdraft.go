// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/lazyregexp"
	"github.com/keymat/keymat/inventory"
)

// draftHead is what a manifest for the keys there are begins with.
const draftHead = `# The keys with imported material that keymat fleet init found.
#
# Name the escrow of each material: {name} and {place} stand for those of the key.
# A key that was rotated lists the escrows of its earlier materials under older.
# To let material expire after a time, and be renewed in time, say
#     expires: 365d
#     renew-when-less-than: 30d
kind: keymat/fleet
version: 1
name: %s

`

// A draft is a manifest while it is put together from what was found.
type draft struct {
	text   strings.Builder
	places map[[2]string]string // by profile and Region
	names  map[string]bool      // of keys
	keys   int
}

// manifestFor writes a manifest for keys, and counts them. Where there are none
// it names the Regions that were looked in, as far as they are known.
func manifestFor(name string, items []inventory.Item, regions []string) (string, int) {
	d := &draft{places: map[[2]string]string{}, names: map[string]bool{}}
	fmt.Fprintf(&d.text, draftHead, yamlText(name))
	d.writePlaces(items, regions)
	fmt.Fprintf(&d.text, "\ndefaults:\n  escrow: \"escrows/{name}.escrow\"\n\nkeys:")
	slices.SortStableFunc(items, func(a, b inventory.Item) int {
		return cmp.Or(strings.Compare(d.placeOf(a), d.placeOf(b)), strings.Compare(a.Name(), b.Name()))
	})
	before := d.text.Len()
	for _, i := range items {
		if why := d.leftOut(i); why != "" {
			fmt.Fprintf(&d.text, "\n  # left out: %s: %s\n", whereOf(i), why)
			continue
		}
		d.writeKey(i)
	}
	if d.keys == 0 {
		rest := d.text.String()
		return rest[:before] + " []" + rest[before:] + "\n", 0
	}
	return d.text.String(), d.keys
}

// writePlaces names a place by its Region, and by its profile where there are
// several.
func (d *draft) writePlaces(items []inventory.Item, regions []string) {
	profiles := map[string]bool{}
	var all [][2]string
	for _, i := range items {
		id := [2]string{i.Profile, i.Region}
		profiles[i.Profile] = true
		if i.Region != "" && !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	slices.SortFunc(all, func(a, b [2]string) int { return cmp.Or(strings.Compare(a[0], b[0]), strings.Compare(a[1], b[1])) })
	d.text.WriteString("places:\n")
	for n, id := range all {
		name := id[1]
		if len(profiles) > 1 && id[0] != "" {
			name = id[0] + "-" + id[1]
		}
		if !placeNames().MatchString(name) {
			name = fmt.Sprintf("place-%d", n+1)
		}
		d.places[id] = name
		fmt.Fprintf(&d.text, "  %s: {", yamlText(name))
		if id[0] != "" {
			fmt.Fprintf(&d.text, "profile: %s, ", yamlText(id[0]))
		}
		fmt.Fprintf(&d.text, "region: %s}\n", id[1])
	}
	if len(all) > 0 {
		return
	}
	if regions = slices.DeleteFunc(regions, func(r string) bool { return r == "" }); len(regions) == 0 {
		d.text.WriteString("  home: {region: us-east-1} # no key was found: name your Region\n")
	}
	for _, region := range regions {
		fmt.Fprintf(&d.text, "  %s: {region: %s}\n", region, region)
	}
}

var placeNames = lazyregexp.New(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func (d *draft) placeOf(i inventory.Item) string { return d.places[[2]string{i.Profile, i.Region}] }

// leftOut says why a key gets no entry of its own.
func (d *draft) leftOut(i inventory.Item) string {
	switch {
	case i.Err != nil:
		return strings.ReplaceAll(describeError(i.Err), "\n", " ")
	case i.Key.Replica:
		return "a replica goes with its primary, in " + importer.RegionOf(i.Key.Copies[0])
	case i.Key.State == types.KeyStatePendingDeletion, i.Key.State == types.KeyStatePendingReplicaDeletion:
		return "the key is scheduled for deletion"
	}
	return ""
}

func (d *draft) writeKey(i inventory.Item) {
	d.keys++
	ref, name := i.Key.ID, i.Key.ID
	if len(i.Aliases) > 0 {
		ref = i.Aliases[0]
		if bare := strings.TrimPrefix(ref, "alias/"); aliasNames().MatchString(bare) && len(bare) <= 100 {
			name = bare
		}
	}
	if d.names[name] {
		name += "-" + d.placeOf(i)
	}
	for n := 2; d.names[name]; n++ {
		name = fmt.Sprintf("%s-%d", i.Key.ID, n)
	}
	d.names[name] = true
	line := func(field, value string) { fmt.Fprintf(&d.text, "    %s: %s\n", field, value) }
	fmt.Fprintf(&d.text, "\n  - name: %s\n", yamlText(name))
	line("place", yamlText(d.placeOf(i)))
	if ref != "alias/"+name {
		line("key", yamlText(ref))
	}
	line("spec", string(i.Key.Spec))
	if i.Key.Usage != importer.DefaultUsage(i.Key.Spec) {
		line("usage", string(i.Key.Usage))
	}
	d.writeCopies(i.Key, line)
	switch e := i.Current().Expiry; {
	case !i.Current().Imported:
		line("expires", "never # no material is there: say when it shall expire")
	case e.IsZero():
		line("expires", "never")
	default:
		line("expires", e.String())
	}
}

// aliasNames are those that serve as the names of keys in a manifest.
var aliasNames = lazyregexp.New(`^[A-Za-z0-9_][A-Za-z0-9_-]*(/[A-Za-z0-9_-]+)*$`)

func (d *draft) writeCopies(k importer.Key, line func(field, value string)) {
	if !k.MultiRegion {
		return
	}
	var replicas []string
	for _, arn := range k.Copies {
		if region := importer.RegionOf(arn); region != k.Region() {
			replicas = append(replicas, region)
		}
	}
	if len(replicas) == 0 {
		line("multi-region", "true")
		return
	}
	line("replicas", "["+strings.Join(replicas, ", ")+"]")
}

var (
	plainText = lazyregexp.New(`^[A-Za-z][A-Za-z0-9_./-]*$`)
	notText   = []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
)

// yamlText writes text so that YAML takes it for text.
func yamlText(s string) string {
	if plainText().MatchString(s) && !slices.Contains(notText, strings.ToLower(s)) {
		return s
	}
	quoted, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always has a form in JSON
	}
	return string(quoted)
}
