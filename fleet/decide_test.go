// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/fleet"
	"github.com/keymat/keymat/fleet/manifest"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

const (
	day     = 24 * time.Hour
	keyARN  = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	mrkHome = "arn:aws:kms:eu-central-1:111122223333:key/mrk-1"
	mrkAway = "arn:aws:kms:us-east-1:111122223333:key/mrk-1"
)

var (
	now           = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	yearSpan      = manifest.Lifetime{Span: 365 * day, RenewBelow: 30 * day}
	idA, idB, idC = strings.Repeat("a", 64), strings.Repeat("b", 64), strings.Repeat("c", 64)
)

// wants is a key of a manifest, changed by f.
func wants(f func(*manifest.Key)) manifest.Key {
	k := manifest.Key{Name: "app", Place: "eu", Ref: "alias/app", Want: manifest.Imported, Escrow: "app.escrow", Expires: yearSpan}
	if f != nil {
		f(&k)
	}
	return k
}

// symmetric is a key that exists, with material for another 300 days.
func symmetric(f func(*importer.Key)) importer.Key {
	k := importer.Key{
		ID: "1234abcd-12ab-34cd-56ef-1234567890ab", ARN: keyARN, Spec: material.SymmetricDefault, Usage: types.KeyUsageTypeEncryptDecrypt, State: types.KeyStateEnabled,
		Origin: types.OriginTypeExternal, Expiry: importer.At(now.Add(300 * day)), MaterialID: idA,
	}
	if f != nil {
		f(&k)
	}
	return k
}

func hmac(k *importer.Key) {
	k.Spec, k.Usage, k.MaterialID = material.HMAC256, types.KeyUsageTypeGenerateVerifyMac, ""
}

func waiting(k *importer.Key) { k.State, k.Expiry = types.KeyStatePendingImport, importer.Expiry{} }

func found(k importer.Key, materials ...importer.KeyMaterial) fleet.Found {
	return fleet.Found{Copies: []fleet.FoundCopy{{Key: k, Materials: materials}}}
}

// mrk is a multi-Region key and its replica.
func mrk(f func(primary, replica *fleet.FoundCopy)) fleet.Found {
	primary := fleet.FoundCopy{Key: symmetric(func(k *importer.Key) { k.ARN, k.MultiRegion, k.Copies = mrkHome, true, []string{mrkHome, mrkAway} })}
	replica := primary
	replica.Key.ARN, replica.Key.Replica = mrkAway, true
	if f != nil {
		f(&primary, &replica)
	}
	return fleet.Found{Copies: []fleet.FoundCopy{primary, replica}}
}

func there(id string, e importer.Expiry) importer.KeyMaterial {
	return importer.KeyMaterial{ID: id, State: types.KeyMaterialStateCurrent, Imported: true, Expiry: e}
}

func gone(id string) importer.KeyMaterial {
	return importer.KeyMaterial{ID: id, State: types.KeyMaterialStateCurrent}
}

func rotatedOn(m importer.KeyMaterial, at time.Time) importer.KeyMaterial {
	m.Rotated, m.OnDemand = at, true
	return m
}

// headers are the escrows there are, by path.
func headers(path string) (fleet.Header, error) {
	spec := material.SymmetricDefault
	switch path {
	case "missing.escrow":
		return fleet.Header{}, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	case "broken.escrow":
		return fleet.Header{}, errors.New("keymat/escrow: empty")
	case "hmac.escrow":
		spec = material.HMAC256
	case "rsa.escrow":
		spec = material.RSA4096
	}
	return fleet.Header{Path: "/kept/" + path, Spec: spec, Fingerprint: "cmac:" + strings.TrimPrefix(path, "again-"), SHA256: "digest of " + path}, nil
}

// steps writes down steps in short.
func steps(all []fleet.Step) string {
	var words []string
	for _, s := range all {
		w := string(s.Do) + " " + s.Region
		if s.KeyARN == "" && s.Do != fleet.DoCreate {
			w += " new"
		}
		if s.Do == fleet.DoCreate {
			w += fmt.Sprintf(" %s %s %t", s.Create.Alias, s.Create.Spec, s.Create.MultiRegion)
		}
		if s.Escrow.Path != "" {
			w += " " + strings.TrimPrefix(s.Escrow.Path, "/kept/") + " until " + s.Expiry.String()
		}
		if s.MaterialID != "" {
			w += " as " + s.MaterialID[:1]
		}
		words = append(words, w)
	}
	return strings.Join(words, ", ")
}

const inAYear = "2027-11-22T11:00:00Z" // an hour less than 365 days

func TestDecide(t *testing.T) {
	rotate := func(on time.Time) func(*manifest.Key) {
		return func(k *manifest.Key) { k.Rotate = &manifest.Rotation{On: on, Escrow: "next.escrow"} }
	}
	left := func(d time.Duration) func(*importer.Key) {
		return func(k *importer.Key) { k.Expiry = importer.At(now.Add(d)) }
	}
	full := make([]importer.KeyMaterial, 26)
	for i := range full {
		full[i] = rotatedOn(there(fmt.Sprintf("%064d", i), importer.Never()), now.Add(-100*day))
	}
	full[0].OnDemand = false
	for _, tt := range []struct {
		name   string
		want   manifest.Key
		found  fleet.Found
		action fleet.Action
		why    string
		steps  string
	}{
		// Nothing.
		{"as asked", wants(nil), found(symmetric(nil)), fleet.Nothing, "imported, expires 2027-09-18T12:00:00Z: 300 d 0 h left", ""},
		{"never", wants(func(k *manifest.Key) { k.Expires = manifest.Lifetime{Never: true} }), found(symmetric(func(k *importer.Key) { k.Expiry = importer.Never() })), fleet.Nothing, "imported, never expires", ""},
		{"the very date", wants(func(k *manifest.Key) { k.Expires = manifest.Lifetime{At: now.Add(300 * day)} }), found(symmetric(nil)), fleet.Nothing, "imported, expires 2027-09-18T12:00:00Z: 300 d 0 h left", ""},
		{"exactly what is renewed below", wants(nil), found(symmetric(left(30 * day))), fleet.Nothing, "imported, expires 2026-12-22T12:00:00Z: 30 d 0 h left", ""},
		{"exactly the span", wants(nil), found(symmetric(left(365 * day))), fleet.Nothing, "imported, expires 2027-11-22T12:00:00Z: 365 d 0 h left", ""},
		{"a rotation to come", wants(rotate(now.Add(time.Second))), found(symmetric(nil)), fleet.Nothing, "imported, expires 2027-09-18T12:00:00Z: 300 d 0 h left; to be rotated on 2026-11-22, in 1 s", ""},
		{"a rotation that is done", wants(rotate(now.Add(-9 * day))), found(symmetric(nil), there(idA, importer.At(now.Add(300*day))), rotatedOn(there(idB, importer.At(now.Add(300*day))), now.Add(-9*day))), fleet.Nothing, "imported, expires 2027-09-18T12:00:00Z: 300 d 0 h left", ""},
		{"disabled", wants(nil), found(symmetric(func(k *importer.Key) { k.State = types.KeyStateDisabled })), fleet.Nothing, "imported, expires 2027-09-18T12:00:00Z: 300 d 0 h left", ""},

		// Renew.
		{"a second below", wants(nil), found(symmetric(left(30*day - time.Second))), fleet.Renew, "expires 2026-12-22T11:59:59Z: 29 d 23 h left, and it is renewed below 30 d", "import eu-central-1 app.escrow until " + inAYear + " as a"},
		{"too far ahead", wants(func(k *manifest.Key) { k.Expires = manifest.Lifetime{Span: 90 * day, RenewBelow: 30 * day} }), found(symmetric(left(90*day + time.Second))), fleet.Renew, "expires 2027-02-20T12:00:01Z, 90 d 0 h ahead, and 90 d is asked for", "import eu-central-1 app.escrow until 2027-02-20T12:00:00Z as a"},
		{"never, where a span is asked for", wants(nil), found(symmetric(func(k *importer.Key) { k.Expiry = importer.Never() })), fleet.Renew, "never expires, and 365 d is asked for", "import eu-central-1 app.escrow until " + inAYear + " as a"},
		{"a date, where never is asked for", wants(func(k *manifest.Key) { k.Expires = manifest.Lifetime{Never: true} }), found(symmetric(nil)), fleet.Renew, "expires 2027-09-18T12:00:00Z, and never is asked for", "import eu-central-1 app.escrow until never as a"},
		{"another date", wants(func(k *manifest.Key) { k.Expires = manifest.Lifetime{At: now.Add(300*day + time.Second)} }), found(symmetric(nil)), fleet.Renew, "expires 2027-09-18T12:00:00Z, and 2027-09-18T12:00:01Z is asked for", "import eu-central-1 app.escrow until 2027-09-18T12:00:01Z as a"},
		{"a disabled key", wants(nil), found(symmetric(func(k *importer.Key) { left(day)(k); k.State = types.KeyStateDisabled })), fleet.Renew, "expires 2026-11-23T12:00:00Z: 1 d 0 h left, and it is renewed below 30 d; the key is disabled, and an import enables it", "import eu-central-1 app.escrow until " + inAYear + " as a"},
		{"an earlier material", wants(func(k *manifest.Key) { k.Older = []string{"old.escrow"} }), found(symmetric(left(day)), there(idB, importer.At(now.Add(day))), there(idA, importer.At(now.Add(300*day)))), fleet.Renew, "material bbbbbbbbbbbb… (1st of 2) expires 2026-11-23T12:00:00Z: 1 d 0 h left, and it is renewed below 30 d", "import eu-central-1 old.escrow until " + inAYear + " as b"},

		// Import and reimport.
		{"a new key", wants(nil), found(symmetric(func(k *importer.Key) { waiting(k); k.MaterialID = "" })), fleet.Import, "has no material yet", "import eu-central-1 app.escrow until " + inAYear},
		{"an HMAC key", wants(func(k *manifest.Key) { k.Escrow = "hmac.escrow" }), found(symmetric(func(k *importer.Key) { hmac(k); waiting(k) })), fleet.Import, "has no material (whether it ever had any, KMS does not tell)", "import eu-central-1 hmac.escrow until " + inAYear},
		{"deleted", wants(nil), found(symmetric(waiting), gone(idA)), fleet.Reimport, "its material is missing", "import eu-central-1 app.escrow until " + inAYear + " as a"},
		{"expired, and KMS still says imported", wants(nil), found(symmetric(waiting), there(idA, importer.At(now))), fleet.Reimport, "its material is missing", "import eu-central-1 app.escrow until " + inAYear + " as a"},
		{"two of three", wants(func(k *manifest.Key) { k.Older = []string{"1.escrow", "2.escrow"} }), found(symmetric(waiting), gone(idA), there(idB, importer.At(now.Add(300*day))), gone(idC)), fleet.Reimport, "material aaaaaaaaaaaa… (1st of 3) is missing; material cccccccccccc… (3rd of 3) is missing", "import eu-central-1 1.escrow until " + inAYear + " as a, import eu-central-1 app.escrow until " + inAYear + " as c"},
		{"after a rotation", wants(rotate(now.Add(-day))), found(symmetric(waiting), gone(idA), rotatedOn(gone(idB), now.Add(-time.Hour))), fleet.Reimport, "material aaaaaaaaaaaa… (1st of 2) is missing; material bbbbbbbbbbbb… (2nd of 2) is missing", "import eu-central-1 app.escrow until " + inAYear + " as a, import eu-central-1 next.escrow until " + inAYear + " as b"},
		{"in one Region", wants(func(k *manifest.Key) { k.Replicas = []string{away} }), mrk(func(_, r *fleet.FoundCopy) { waiting(&r.Key); r.Materials = []importer.KeyMaterial{gone(idA)} }), fleet.Reimport, "us-east-1: its material is missing", "import us-east-1 app.escrow until " + inAYear + " as a"},

		// Create.
		{"no key", wants(nil), fleet.Found{}, fleet.Create, "alias/app names no key in eu-central-1", "create eu-central-1 alias/app SYMMETRIC_DEFAULT false, import eu-central-1 new app.escrow until " + inAYear},
		{"with replicas", wants(func(k *manifest.Key) { k.MultiRegion, k.Replicas = true, []string{away} }), fleet.Found{}, fleet.Create, "alias/app names no key in eu-central-1", "create eu-central-1 alias/app SYMMETRIC_DEFAULT true, import eu-central-1 new app.escrow until " + inAYear + ", replicate us-east-1 new, import us-east-1 new app.escrow until " + inAYear},
		{"by an alias ARN", wants(func(k *manifest.Key) { k.Ref = "arn:aws:kms:eu-central-1:111122223333:alias/app" }), fleet.Found{}, fleet.Create, "alias/app names no key in eu-central-1", "create eu-central-1 alias/app SYMMETRIC_DEFAULT false, import eu-central-1 new app.escrow until " + inAYear},
		{"a replica", wants(func(k *manifest.Key) { k.Replicas = []string{away, "eu-west-1"} }), mrk(func(p, _ *fleet.FoundCopy) {
			p.Materials = []importer.KeyMaterial{there(idB, importer.At(now.Add(300*day))), there(idA, importer.At(now.Add(300*day)))}
		}), fleet.Cannot, "the replica in eu-west-1 needs all 2 materials of the key, and the manifest names the escrows of 1: list those of earlier materials under older, the oldest first", ""},
		{"a replica with all materials", wants(func(k *manifest.Key) { k.Replicas, k.Older = []string{"eu-west-1"}, []string{"old.escrow"} }), mrk(func(p, _ *fleet.FoundCopy) {
			p.Materials = []importer.KeyMaterial{there(idB, importer.At(now.Add(300*day))), there(idA, importer.At(now.Add(300*day)))}
		}), fleet.Create, "there is no replica in eu-west-1", "replicate eu-west-1 new, import eu-west-1 new old.escrow until " + inAYear + " as b, import eu-west-1 new app.escrow until " + inAYear + " as a"},

		// Rotate.
		{"due this second", wants(rotate(now)), found(symmetric(nil), there(idA, importer.At(now.Add(300*day)))), fleet.Rotate, "not rotated since 2026-11-22, the day it is due", "rotate eu-central-1 next.escrow until " + inAYear},
		{"rotated a second too early", wants(rotate(now.Add(-day))), found(symmetric(nil), there(idB, importer.At(now.Add(300*day))), rotatedOn(there(idA, importer.At(now.Add(300*day))), now.Add(-day-time.Second))), fleet.Rotate, "not rotated since 2026-11-21, the day it is due", "rotate eu-central-1 next.escrow until " + inAYear},
		{"begun before", wants(rotate(now)), found(symmetric(nil), there(idA, importer.At(now.Add(300*day))), importer.KeyMaterial{ID: idB, State: types.KeyMaterialStatePendingRotation, Imported: true, Expiry: importer.Never()}), fleet.Rotate, "not rotated since 2026-11-22, the day it is due; material bbbbbbbbbbbb… waits in the key for the rotation", "rotate eu-central-1 next.escrow until " + inAYear + " as b"},
		{"renewed and rotated", wants(rotate(now)), found(symmetric(left(day)), there(idA, importer.At(now.Add(day)))), fleet.Rotate, "expires 2026-11-23T12:00:00Z: 1 d 0 h left, and it is renewed below 30 d; not rotated since 2026-11-22, the day it is due", "import eu-central-1 app.escrow until " + inAYear + " as a, rotate eu-central-1 next.escrow until " + inAYear},
		{"brought back and rotated", wants(rotate(now)), found(symmetric(waiting), gone(idA)), fleet.Reimport, "its material is missing; not rotated since 2026-11-22, the day it is due", "import eu-central-1 app.escrow until " + inAYear + " as a, rotate eu-central-1 next.escrow until " + inAYear},
		{"24 rotations", wants(rotate(now)), found(symmetric(nil), full[:25]...), fleet.Cannot, "material 000000000000… (1st of 25) never expires, and 365 d is asked for, and the manifest names no escrow for it: list those of earlier materials under older, the oldest first", ""},
		{"25 rotations", wants(func(k *manifest.Key) { rotate(now)(k); k.Expires = manifest.Lifetime{Never: true} }), found(symmetric(func(k *importer.Key) { k.Expiry = importer.Never() }), full...), fleet.Cannot, "a rotation is due, and the key was rotated on demand 25 times: KMS allows no more in a key's life", ""},
		{"24 rotations, and never", wants(func(k *manifest.Key) { rotate(now)(k); k.Expires = manifest.Lifetime{Never: true} }), found(symmetric(func(k *importer.Key) { k.Expiry = importer.Never() }), full[:25]...), fleet.Rotate, "not rotated since 2026-11-22, the day it is due", "rotate eu-central-1 next.escrow until never"},

		// Delete.
		{"delete", wants(func(k *manifest.Key) { k.Want = manifest.Deleted }), found(symmetric(nil), there(idA, importer.Never()), gone(idB)), fleet.Delete, "material aaaaaaaaaaaa… is there, and shall be deleted", "delete eu-central-1 as a"},
		{"delete of an HMAC key", wants(func(k *manifest.Key) { k.Want = manifest.Deleted }), found(symmetric(hmac)), fleet.Delete, "material is there, and shall be deleted", "delete eu-central-1"},
		{"delete everywhere", wants(func(k *manifest.Key) { k.Want = manifest.Deleted }), mrk(nil), fleet.Delete, "eu-central-1: material aaaaaaaaaaaa… is there, and shall be deleted; us-east-1: material aaaaaaaaaaaa… is there, and shall be deleted", "delete eu-central-1 as a, delete us-east-1 as a"},
		{"deleted before", wants(func(k *manifest.Key) { k.Want = manifest.Deleted }), found(symmetric(waiting), gone(idA)), fleet.Nothing, "no material is there", ""},
		{"deleted, and no key", wants(func(k *manifest.Key) { k.Want = manifest.Deleted }), fleet.Found{}, fleet.Nothing, "there is no such key", ""},
		{"deleted with its key", wants(func(k *manifest.Key) { k.Want = manifest.Deleted }), found(symmetric(func(k *importer.Key) { k.State = types.KeyStatePendingDeletion })), fleet.Nothing, "the key itself is scheduled for deletion", ""},

		// Cannot.
		{"denied", wants(nil), fleet.Found{Err: errors.New("AccessDeniedException")}, fleet.Cannot, "cannot be looked at: AccessDeniedException", ""},
		{"a copy denied", wants(nil), mrk(func(_, r *fleet.FoundCopy) {
			*r = fleet.FoundCopy{Key: importer.Key{ARN: mrkAway}, Err: errors.New("AccessDeniedException")}
		}), fleet.Cannot, "its copy in us-east-1 cannot be looked at: AccessDeniedException", ""},
		{"no such ID", wants(func(k *manifest.Key) { k.Ref = "1234abcd-12ab-34cd-56ef-1234567890ab" }), fleet.Found{}, fleet.Cannot, "there is no key 1234abcd-12ab-34cd-56ef-1234567890ab in eu-central-1, and a key that is made gets an ID of its own: name it by an alias", ""},
		{"no escrow", wants(func(k *manifest.Key) { k.Escrow = "missing.escrow" }), fleet.Found{}, fleet.Cannot, "the escrow missing.escrow does not exist", ""},
		{"no escrow, and none needed", wants(func(k *manifest.Key) { k.Escrow = "missing.escrow" }), found(symmetric(nil)), fleet.Nothing, "imported, expires 2027-09-18T12:00:00Z: 300 d 0 h left", ""},
		{"a broken escrow", wants(func(k *manifest.Key) { k.Escrow = "broken.escrow" }), found(symmetric(waiting), gone(idA)), fleet.Cannot, "the escrow broken.escrow cannot be read: keymat/escrow: empty", ""},
		{"another's escrow", wants(func(k *manifest.Key) { k.Escrow = "hmac.escrow" }), found(symmetric(waiting), gone(idA)), fleet.Cannot, "the escrow hmac.escrow holds HMAC_256 material, and the key is a SYMMETRIC_DEFAULT key", ""},
		{"another's escrow for a new key", wants(func(k *manifest.Key) { k.Spec = material.RSA2048 }), fleet.Found{}, fleet.Cannot, "the escrow app.escrow holds SYMMETRIC_DEFAULT material, and RSA_2048 is asked for", ""},
		{"wrapping", wants(func(k *manifest.Key) { k.Escrow, k.Wrapping = "rsa.escrow", wrap.Pair{Algorithm: wrap.OAEPSHA256} }), fleet.Found{}, fleet.Cannot, "wrapping: KMS does not take RSA_4096 material wrapped with RSAES_OAEP_SHA_256: RSA private keys are too long for RSAES_OAEP; allowed: RSA_AES_KEY_WRAP_SHA_256, RSA_AES_KEY_WRAP_SHA_1 under RSA_4096, RSA_3072 or RSA_2048", ""},
		{"origin", wants(nil), found(symmetric(func(k *importer.Key) { k.Origin = types.OriginTypeAwsKms })), fleet.Cannot, keyARN + " has origin AWS_KMS: only a key made with origin EXTERNAL takes imported material", ""},
		{"spec", wants(func(k *manifest.Key) { k.Spec = material.HMAC256 }), found(symmetric(nil)), fleet.Cannot, keyARN + " is a SYMMETRIC_DEFAULT key, and HMAC_256 is asked for", ""},
		{"usage", wants(func(k *manifest.Key) { k.Usage = types.KeyUsageTypeSignVerify }), found(symmetric(nil)), fleet.Cannot, keyARN + " is for ENCRYPT_DECRYPT, and SIGN_VERIFY is asked for", ""},
		{"a replica by name", wants(nil), found(symmetric(func(k *importer.Key) { k.Replica, k.Copies = true, []string{mrkAway} })), fleet.Cannot, keyARN + " is a replica: name its primary, in us-east-1, and the replicas follow", ""},
		{"replicas of a single-Region key", wants(func(k *manifest.Key) { k.Replicas = []string{away} }), found(symmetric(nil)), fleet.Cannot, keyARN + " is a single-Region key, which never has replicas", ""},
		{"scheduled for deletion", wants(nil), found(symmetric(func(k *importer.Key) { k.State = types.KeyStatePendingDeletion })), fleet.Cannot, keyARN + " is scheduled for deletion: cancel that first, if it shall live", ""},
		{"a replica scheduled for deletion", wants(func(k *manifest.Key) { k.Replicas = []string{away} }), mrk(func(_, r *fleet.FoundCopy) { r.Key.State = types.KeyStatePendingDeletion }), fleet.Cannot, mrkAway + " is scheduled for deletion: cancel that first, if it shall live", ""},
		{"a replica that nobody asks for", wants(nil), mrk(func(_, r *fleet.FoundCopy) { r.Key.State = types.KeyStatePendingDeletion }), fleet.Nothing, "imported, expires 2027-09-18T12:00:00Z: 300 d 0 h left; us-east-1: the replica is scheduled for deletion, and left alone", ""},
		{"creating", wants(nil), found(symmetric(func(k *importer.Key) { k.State = types.KeyStateCreating })), fleet.Cannot, keyARN + " is in state Creating: try again later", ""},
		{"nothing missing, and yet", wants(nil), found(symmetric(waiting), there(idA, importer.At(now.Add(300*day)))), fleet.Cannot, keyARN + " is in state PendingImport although all its material is there: try again later", ""},
		{"an earlier material without escrow", wants(nil), found(symmetric(waiting), gone(idA), there(idB, importer.Never())), fleet.Cannot, "material aaaaaaaaaaaa… (1st of 2) is missing, and the manifest names no escrow for it: list those of earlier materials under older, the oldest first", ""},
		{"a date that is over", wants(func(k *manifest.Key) { k.Expires = manifest.Lifetime{At: now} }), found(symmetric(nil)), fleet.Cannot, "expiry 2026-11-22T12:00:00Z is not in the future", ""},
		{"a date too far", wants(func(k *manifest.Key) { k.Expires = manifest.Lifetime{At: now.Add(365*day + time.Second)} }), found(symmetric(nil)), fleet.Cannot, "expiry 2027-11-22T12:00:01Z is more than 365 days ahead, which KMS refuses", ""},
		{"a rotation of an HMAC key", wants(func(k *manifest.Key) { rotate(now)(k); k.Escrow = "hmac.escrow" }), found(symmetric(hmac)), fleet.Cannot, "a rotation is asked for, and a HMAC_256 key holds one material for life", ""},
		{"a rotation of a disabled key", wants(rotate(now)), found(symmetric(func(k *importer.Key) { k.State = types.KeyStateDisabled }), there(idA, importer.At(now.Add(300*day)))), fleet.Cannot, "a rotation is due, and the key is disabled: KMS rotates only keys that are enabled", ""},
		{"a rotation to the same", wants(func(k *manifest.Key) { k.Rotate = &manifest.Rotation{On: now, Escrow: "again-app.escrow"} }), found(symmetric(nil), there(idA, importer.At(now.Add(300*day)))), fleet.Cannot, "the escrow again-app.escrow holds the same material as app.escrow: a rotation takes other material", ""},
		{"a rotation without escrow", wants(func(k *manifest.Key) { k.Rotate = &manifest.Rotation{On: now, Escrow: "missing.escrow"} }), found(symmetric(nil), there(idA, importer.At(now.Add(300*day)))), fleet.Cannot, "the escrow missing.escrow does not exist", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := fleet.Decide(tt.want, tt.found, fleet.Facts{Now: now, Region: home, Headers: headers})
			if got.Action != tt.action || got.Why != tt.why {
				t.Errorf("%s: %s\nwant\n%s: %s", got.Action, got.Why, tt.action, tt.why)
			}
			if s := steps(got.Steps); s != tt.steps {
				t.Errorf("steps %s\nwant  %s", s, tt.steps)
			}
			if len(got.Seen) != len(tt.found.Copies) || got.Name != "app" || got.Place != "eu" {
				t.Errorf("change %+v", got)
			}
			for _, s := range got.Steps {
				if s.Escrow.Path != "" && (s.Spec == "" || s.Wrapping.Algorithm == "" || s.Escrow.SHA256 == "" || s.Expiry.Check(now) != nil) {
					t.Errorf("step %+v", s)
				}
			}
			if i := slices.IndexFunc(tt.found.Copies, func(c fleet.FoundCopy) bool { return c.Err == nil }); i >= 0 && got.Seen[i].State != tt.found.Copies[i].Key.State {
				t.Errorf("seen %+v", got.Seen[i])
			}
		})
	}
}
