// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/goccy/go-yaml/ast"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/lazyregexp"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// A draft is a key while it is read: the defaults first, its own fields over them.
type draft struct {
	Key
	renew    ast.Node // of its own, or of the defaults
	expires  ast.Node
	ownRenew bool // renew stands beside the key's own expires, or overrides the defaults'
	multi    bool // multi-region is given
	tagged   bool // Tags is the key's own map
}

// defaultFields are what keys may share.
var defaultFields = []field[draft]{
	{"place", func(r *reader, n ast.Node, d *draft) { d.Place = r.text(n) }},
	{"spec", func(r *reader, n ast.Node, d *draft) { d.Spec = r.spec(n) }},
	{"usage", func(r *reader, n ast.Node, d *draft) { d.Usage = r.usage(n) }},
	{"multi-region", func(r *reader, n ast.Node, d *draft) { d.MultiRegion, d.multi = r.truth(n), true }},
	{"replicas", func(r *reader, n ast.Node, d *draft) { d.Replicas = r.replicas(n) }},
	{"escrow", func(r *reader, n ast.Node, d *draft) { d.Escrow = r.path(n) }},
	{"want", func(r *reader, n ast.Node, d *draft) { d.Want = r.want(n) }},
	{"expires", func(r *reader, n ast.Node, d *draft) { d.Expires, d.expires = r.lifetime(n), n }},
	{"renew-when-less-than", func(r *reader, n ast.Node, d *draft) { d.Expires.RenewBelow, d.renew = r.span(n), n }},
	{"wrapping", func(r *reader, n ast.Node, d *draft) { readMapping(r, n, wrappingFields, &d.Wrapping) }},
	{"tags", func(r *reader, n ast.Node, d *draft) { r.readTags(n, d) }},
	{"description", func(r *reader, n ast.Node, d *draft) {
		if d.Description = r.text(n); len(d.Description) > 8192 {
			r.wrong(n, "longer than the 8192 bytes that KMS takes")
		}
	}},
}

// keyFields are those of one key.
var keyFields = slices.Concat([]field[draft]{
	{"name", func(r *reader, n ast.Node, d *draft) {}}, // readKey read it, for messages
	{"key", func(r *reader, n ast.Node, d *draft) {
		if d.Ref = r.text(n); d.Ref != "" && !refs().MatchString(d.Ref) || strings.Contains(d.Ref, "alias/aws/") {
			r.wrong(n, "neither an alias (alias/app) nor a key ID, nor the ARN of one")
		}
	}},
	{"older", func(r *reader, n ast.Node, d *draft) { d.Older = r.paths(n) }},
	{"rotate", func(r *reader, n ast.Node, d *draft) {
		d.Rotate = &Rotation{}
		before := len(r.problems.found)
		readMapping(r, n, rotateFields, d.Rotate)
		if len(r.problems.found) == before && (d.Rotate.On.IsZero() || d.Rotate.Escrow == "") {
			r.wrong(n, "takes a day (on) and an escrow with the new material (escrow)")
		}
	}},
}, defaultFields)

var wrappingFields = []field[wrap.Pair]{
	{"algorithm", func(r *reader, n ast.Node, p *wrap.Pair) {
		if err := p.Algorithm.UnmarshalText([]byte(r.text(n))); err != nil {
			r.wrong(n, "%v", err)
		}
	}},
	{"key", func(r *reader, n ast.Node, p *wrap.Pair) {
		if err := p.KeySpec.UnmarshalText([]byte(r.text(n))); err != nil {
			r.wrong(n, "%v", err)
		}
	}},
}

var rotateFields = []field[Rotation]{
	{"on", func(r *reader, n ast.Node, v *Rotation) { v.On = r.date(n) }},
	{"escrow", func(r *reader, n ast.Node, v *Rotation) { v.Escrow = r.path(n) }},
}

var (
	keyNames = lazyregexp.New(`^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$`)
	refs     = lazyregexp.New(`^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:)?(alias/[A-Za-z0-9/_-]{1,250}|key/(mrk-)?[0-9a-f-]{32,36})$|^(mrk-)?[0-9a-f-]{32,36}$`)
)

// readKeys reads a list of keys, or a piece of it.
func readKeys(r *reader, n ast.Node) {
	r.at = "keys"
	for _, item := range r.items(n) {
		r.at = "keys"
		r.readKey(item)
	}
	r.at = ""
}

func (r *reader) readKey(n ast.Node) {
	d := r.defaults
	d.tagged = false
	pairs, _ := pairsOf(n)
	if len(pairs) == 0 {
		r.wrong(n, "%s, where a key belongs: at least its name", kindOf(n))
		return
	}
	at := pairs[0].Key
	d.Line = r.above + at.GetToken().Position.Line
	for _, pair := range pairs {
		if keyOf(pair) == "name" {
			d.Name = r.text(pair.Value)
			at = pair.Key
		}
	}
	if len(d.Name) > 128 || !keyNames().MatchString(d.Name) {
		if d.Name != "" {
			r.wrong(at, "a name has letters, digits and . _ - / only, 128 at most, and no part of it begins with a dot")
		} else {
			r.wrong(at, "name is missing, or empty")
		}
		return
	}
	r.at = "keys " + d.Name
	shared := d
	d.expires, d.renew = nil, nil
	readMapping(r, n, keyFields, &d)
	d.inherit(shared)
	r.finish(at, &d)
}

// inherit sorts out which of the defaults' words on the lifetime apply beside
// the key's own.
func (d *draft) inherit(shared draft) {
	d.ownRenew = d.renew != nil
	switch {
	case d.expires == nil: // RenewBelow alone may be its own
		renew := d.Expires.RenewBelow
		d.Expires, d.expires = shared.Expires, shared.expires
		d.Expires.RenewBelow = renew
	case d.renew == nil && d.Expires.Span > 0:
		d.Expires.RenewBelow = shared.Expires.RenewBelow
	}
	if d.renew == nil && d.Expires.Span > 0 && d.Expires.RenewBelow >= d.Expires.Span {
		d.Expires.RenewBelow = 0 // the defaults' word is for longer spans
	}
}

// finish checks what fields tell only together, and takes the key in.
func (r *reader) finish(at ast.Node, d *draft) {
	if line, taken := r.names[d.Name]; taken {
		r.wrong(at, "the name is taken by the key on line %d", line)
	}
	r.names[d.Name] = d.Line
	if d.Want == "" {
		d.Want = Imported
	}
	place := r.place(d.Place)
	switch {
	case d.Place == "":
		r.wrong(at, "place is missing, here and in the defaults")
	case place == nil && len(r.manifest.Places) == 0: // which was told
	case place == nil:
		r.wrong(at, "place is none of those above")
	default:
		r.finishRef(at, d, place)
		r.finishReplicas(at, d, place)
	}
	if d.Want == Imported {
		r.finishImported(at, d)
	}
	d.Escrow = fill(d.Escrow, d.Key)
	d.Older = slices.Clone(d.Older)
	for i, path := range d.Older {
		d.Older[i] = fill(path, d.Key)
	}
	if d.Rotate != nil {
		d.Rotate.Escrow = fill(d.Rotate.Escrow, d.Key)
	}
	r.manifest.Keys = append(r.manifest.Keys, d.Key)
}

func (r *reader) finishRef(at ast.Node, d *draft, place *Place) {
	if d.Ref == "" {
		if d.Ref = "alias/" + d.Name; !refs().MatchString(d.Ref) {
			r.wrong(at, "the name makes no alias: say which one with key")
		}
	}
	if region := importer.RegionOf(d.Ref); region != "" && region != place.Region {
		r.wrong(at, "key is in %s, and its place in %s", region, place.Region)
	}
	id := placed{d.Place, d.Ref}
	if line, taken := r.refs[id]; taken {
		r.wrong(at, "the same KMS key as on line %d", line)
	}
	r.refs[id] = d.Line
}

func (r *reader) finishReplicas(at ast.Node, d *draft, place *Place) {
	if slices.Contains(d.Replicas, place.Region) {
		r.wrong(at, "replicas has %s, where the primary is", place.Region)
	}
	if len(d.Replicas) == 0 {
		return
	}
	if d.multi && !d.MultiRegion {
		r.wrong(at, "replicas are for multi-Region keys")
	}
	d.MultiRegion = true
}

func (r *reader) finishImported(at ast.Node, d *draft) {
	if d.Escrow == "" {
		r.wrong(at, "escrow is missing, here and in the defaults")
	}
	if d.Spec != "" {
		if _, err := wrap.Choose(d.Spec, d.Wrapping.Algorithm, d.Wrapping.KeySpec); err != nil {
			r.wrong(at, "wrapping: %v", err)
		}
		if d.Rotate != nil && d.Spec.Kind() != material.Symmetric {
			r.wrong(at, "rotate: a %s key holds one material for life", d.Spec)
		}
	}
	l := &d.Expires
	switch {
	case d.expires == nil:
		r.wrong(at, "expires is missing, here and in the defaults: never, a time such as 365d, or a date")
	case l.Span == 0 && d.ownRenew:
		r.wrong(d.renew, "renew-when-less-than is for material that expires after a time, such as 365d")
	case l.Span == 0:
		l.RenewBelow = 0
	case l.RenewBelow == 0:
		l.RenewBelow = l.Span / usualRenewal
	case l.RenewBelow >= l.Span:
		r.wrong(d.renew, "renew-when-less-than is not less than expires")
	}
}

// readTags reads tags over those of the defaults.
func (r *reader) readTags(n ast.Node, d *draft) {
	if !d.tagged {
		d.Tags, d.tagged = maps.Clone(d.Tags), true
		if d.Tags == nil {
			d.Tags = map[string]string{}
		}
	}
	for _, pair := range r.pairs(n) {
		name := pair.Key.(*ast.StringNode).Value
		value := ""
		if s, empty := pair.Value.(*ast.StringNode); !empty || s.Value != "" {
			value = r.text(pair.Value)
		}
		if len(name) > 128 || len(value) > 256 || strings.HasPrefix(strings.ToLower(name), "aws:") {
			r.wrong(pair.Key, "not a tag that KMS takes: 128 characters at most, its value 256, and not of aws:")
		}
		d.Tags[name] = value
	}
	if len(d.Tags) > 50 {
		r.wrong(n, "more than the 50 tags that KMS takes")
	}
}

// usages are those of keys that take imported material.
var usages = []types.KeyUsageType{
	types.KeyUsageTypeEncryptDecrypt, types.KeyUsageTypeSignVerify, types.KeyUsageTypeGenerateVerifyMac, types.KeyUsageTypeKeyAgreement,
}

// usage reads the usage of a key as KMS spells it.
func (r *reader) usage(n ast.Node) types.KeyUsageType {
	usage := types.KeyUsageType(r.text(n))
	if usage != "" && !slices.Contains(usages, usage) {
		r.wrong(n, "none of ENCRYPT_DECRYPT, SIGN_VERIFY, GENERATE_VERIFY_MAC and KEY_AGREEMENT")
	}
	return usage
}
