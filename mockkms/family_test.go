// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

// A wanderer leads a multi-Region key through random operations in three
// Regions, and demands of every step what must hold whatever happened.
type wanderer struct {
	*session
	*rand.Rand
	now     time.Time
	key     string // the ARN in the first Region
	other   string // a key that has nothing to do with it
	history []string
}

var wandererRegions = []string{region, west, asia}

func TestRandomLivesOfMultiRegionKeys(t *testing.T) {
	for seed := range uint64(24) {
		origin := []types.OriginType{types.OriginTypeExternal, types.OriginTypeAwsKms}[seed%2]
		w := &wanderer{Rand: rand.New(rand.NewPCG(seed, 0)), now: time.Unix(1800000000, 0)}
		w.session = newSession(t, mockkms.WithClock(func() time.Time { return w.now }))
		w.key, w.other = w.multiRegion(origin), w.symmetric()
		for range 60 {
			w.step()
			w.check()
			if t.Failed() {
				t.Fatalf("seed %d, after:\n%s", seed, strings.Join(w.history, "\n"))
			}
		}
	}
}

func pick[T any](w *wanderer, choices ...T) T { return choices[w.IntN(len(choices))] }

// step does one thing to one of the copies, which may well be refused.
func (w *wanderer) step() {
	w.Helper()
	where := pick(w, wandererRegions...)
	key, there := arnIn(w.key, where), w.in(where)
	if w.IntN(3) == 0 {
		d := pick(w, time.Second, 6*time.Second, time.Hour, 3*day, 8*day, 100*day)
		w.now = w.now.Add(d)
		w.history = append(w.history, "wait "+d.String())
		return
	}
	if w.IntN(3) == 0 {
		w.importSome(there, key)
		return
	}
	operation := pick(w, "ReplicateKey", "ReplicateKey", "UpdatePrimaryRegion", "UpdatePrimaryRegion", "DeleteImportedKeyMaterial", "RotateKeyOnDemand",
		"EnableKeyRotation", "DisableKeyRotation", "EnableKey", "EnableKey", "DisableKey", "ScheduleKeyDeletion", "CancelKeyDeletion", "CancelKeyDeletion")
	members := fmt.Sprintf(`, "ReplicaRegion": %q, "PrimaryRegion": %[1]q, "PendingWindowInDays": 7, "RotationPeriodInDays": 90`, pick(w, wandererRegions...))
	if ids := w.idsOf(there, key); len(ids) > 0 && w.IntN(2) == 0 {
		members += `, "KeyMaterialId": "` + pick(w, ids...) + `"`
	}
	got := there.send(operation, `{"KeyId": "`+key+`"`+members+`}`)
	w.note(where, operation+members, got)
}

func (w *wanderer) note(where, what string, got answer) {
	w.history = append(w.history, where+" "+what+": "+fmt.Sprint(got.status)+" "+got.Type+" "+got.message())
	if got.status >= 500 {
		w.Errorf("%s: got %s", what, got.body)
	}
}

func (w *wanderer) importSome(there *session, key string) {
	p, err := there.GetParametersForImport(w.Context(), &kms.GetParametersForImportInput{
		KeyId: &key, WrappingAlgorithm: types.AlgorithmSpecRsaesOaepSha256, WrappingKeySpec: types.WrappingKeySpecRsa2048,
	})
	if err != nil {
		return
	}
	letter := pick(w, "A", "A", "B", "C")
	in := &kms.ImportKeyMaterialInput{
		KeyId: &key, ImportToken: p.ImportToken, EncryptedKeyMaterial: wrapper(types.AlgorithmSpecRsaesOaepSha256)(p.PublicKey, letters(letter, 32)),
		ExpirationModel: types.ExpirationModelTypeKeyMaterialDoesNotExpire,
	}
	if w.IntN(4) == 0 {
		in.ExpirationModel, in.ValidTo = types.ExpirationModelTypeKeyMaterialExpires, ptr(w.now.Add(2*day))
	}
	if w.IntN(2) == 0 {
		in.ImportType = types.ImportTypeNewKeyMaterial
	}
	_, err = there.ImportKeyMaterial(w.Context(), in)
	w.history = append(w.history, fmt.Sprintf("%s import %s %s: %v", there.region, letter, in.ImportType, err))
	if err != nil && strings.Contains(err.Error(), "KMSInternalException") {
		w.Error(err)
	}
}

func (w *wanderer) idsOf(there *session, key string) (ids []string) {
	out, err := there.ListKeyRotations(w.Context(), &kms.ListKeyRotationsInput{KeyId: &key, IncludeKeyMaterial: types.IncludeKeyMaterialAllKeyMaterial})
	if err != nil {
		return nil
	}
	for _, m := range out.Rotations {
		ids = append(ids, *m.KeyMaterialId)
	}
	return ids
}

// check demands that the copies agree, that material is where it belongs, and
// that nobody can tell whether what was due has been written down.
func (w *wanderer) check() {
	w.Helper()
	before := w.picture()
	must(w.UpdateKeyDescription(w.Context(), &kms.UpdateKeyDescriptionInput{KeyId: &w.other, Description: ptr("")})) // writes down what is due
	if after := w.picture(); after != before {
		w.Errorf("writing changed\n%s\nto\n%s", before, after)
	}
	var there, families, materials []string
	for _, where := range wandererRegions {
		key, s := arnIn(w.key, where), w.in(where)
		out, err := s.DescribeKey(w.Context(), &kms.DescribeKeyInput{KeyId: &key})
		if err != nil {
			continue
		}
		there = append(there, where)
		families = append(families, familyOf(out.KeyMetadata))
		materials = append(materials, w.shared(s, key))
		if out.KeyMetadata.KeyState == types.KeyStateEnabled {
			blob := s.encrypted(key, where)
			must(s.Decrypt(w.Context(), &kms.DecryptInput{CiphertextBlob: blob}))
		}
	}
	if len(there) == 0 {
		return
	}
	slices.Sort(there)
	if want := fmt.Sprint(there); !strings.HasPrefix(families[0], want) {
		w.Errorf("there are copies in %s, but they tell of %s", want, families[0])
	}
	if len(slices.Compact(families)) != 1 || len(slices.Compact(materials)) != 1 {
		w.Errorf("the copies do not agree:\n%s\n%s", strings.Join(families, "\n"), strings.Join(materials, "\n"))
	}
	if strings.Count(materials[0], "CURRENT")-strings.Count(materials[0], "NON_CURRENT") > 1 || strings.Count(materials[0], "PENDING_") > 1 {
		w.Errorf("materials %s", materials[0])
	}
}

// familyOf is what a copy tells of all: sorted Regions, and the primary's.
func familyOf(m *types.KeyMetadata) string {
	regions := []string{*m.MultiRegionConfiguration.PrimaryKey.Region}
	for _, k := range m.MultiRegionConfiguration.ReplicaKeys {
		regions = append(regions, *k.Region)
	}
	slices.Sort(regions)
	return fmt.Sprint(regions, " primary ", *m.MultiRegionConfiguration.PrimaryKey.Region)
}

// shared is what all copies must tell alike of their materials.
func (w *wanderer) shared(s *session, key string) string {
	w.Helper()
	var list []string
	for _, m := range s.rotations(key) {
		list = append(list, fmt.Sprint((*m.KeyMaterialId)[:4], " ", m.KeyMaterialState, " ", m.RotationType, " ", aws.ToTime(m.RotationDate).UnixMilli()))
	}
	return strings.Join(list, ", ")
}

// picture is all that can be read of all copies.
func (w *wanderer) picture() string {
	var all []string
	for _, where := range wandererRegions {
		for _, operation := range []string{"DescribeKey", "GetKeyRotationStatus", "ListKeyRotations"} {
			all = append(all, w.in(where).send(operation, `{"KeyId": "`+arnIn(w.key, where)+`", "IncludeKeyMaterial": "ALL_KEY_MATERIAL"}`).body)
		}
	}
	return strings.Join(all, "\n")
}
