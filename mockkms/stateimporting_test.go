// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"fmt"
	"strings"
	"time"
)

func getParameters(m *model, s step) (request, want) {
	a := m.address(s, false)
	algorithm := "RSAES_OAEP_SHA_256"
	if a.key != nil && a.key.spec == "RSA_2048" {
		algorithm = "RSA_AES_KEY_WRAP_SHA_256"
	}
	algorithm = choose(s[3], algorithm, algorithm, algorithm, algorithm, "RSAES_OAEP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256")
	r := request{operation: "GetParametersForImport", members: fmt.Sprintf(`"KeyId": "%s", "WrappingKeySpec": "RSA_2048", "WrappingAlgorithm": %q`, a.ref, algorithm)}
	if a.fault != "" {
		return r, refuses(a.fault)
	}
	return r, m.parameters(a.key, algorithm)
}

func importKeyMaterial(m *model, s step) (request, want) {
	a := m.address(s, false)
	k := a.key
	if k == nil {
		k = &modelKey{spec: "SYMMETRIC_DEFAULT"}
	}
	r, in := m.importing(k, s)
	r.members = `"KeyId": "` + a.ref + `"` + r.members
	if a.fault != "" {
		return r, refuses(append(in.wrongMembers(k, m.now), a.fault)...)
	}
	return r, m.imports(k, in)
}

// importing makes up an ImportKeyMaterial for a key.
func (m *model) importing(k *modelKey, s step) (request, importing) {
	in := choose(s[3], importings[k.spec]...)
	end := choose(s[4], expiries...)
	in.expiration = end.expiration
	if end.in != 0 {
		in.validTo = m.now.Add(end.in)
	}
	in.description = choose(s[5]/16, "", "", "", "first", "second")
	if !k.symmetric() && s[5]%16 != 15 { // which takes none
		in.description = ""
	}
	if s[5]%16 > 13 {
		in.id = choose(s[5]/16, append(k.told(), "no material")...)
	}
	r := request{operation: "ImportKeyMaterial", members: `, "ImportToken": "` + m.present(k, s[6], &in) + `"`}
	if in.token != nil {
		r.wrapping = in.wrap(s[6])
		r.members += `, "EncryptedKeyMaterial": "` + r.wrapping.name + `"`
	} else {
		r.members += `, "EncryptedKeyMaterial": "eA=="`
	}
	for _, member := range [][2]string{{"ExpirationModel", in.expiration}, {"ImportType", in.importType}, {"KeyMaterialDescription", in.description}} {
		if member[1] != "" {
			r.members += fmt.Sprintf(`, %q: %q`, member[0], member[1])
		}
	}
	if in.id != "" {
		r.members += `, "KeyMaterialId": "{` + in.id + `}"`
	}
	if !in.validTo.IsZero() {
		r.members += `, "ValidTo": ` + inSeconds(in.validTo)
	}
	return r, in
}

// expiries are when imported material ends; 0 is not said.
var expiries = []struct {
	expiration string
	in         time.Duration
}{
	{"KEY_MATERIAL_DOES_NOT_EXPIRE", 0},
	{"KEY_MATERIAL_EXPIRES", 5 * time.Second},
	{"KEY_MATERIAL_EXPIRES", time.Hour},
	{"KEY_MATERIAL_EXPIRES", 7 * day},
	{"", day},
	{"KEY_MATERIAL_DOES_NOT_EXPIRE", 0},
	{"", 365 * day},
	{"", 0},
	{"KEY_MATERIAL_DOES_NOT_EXPIRE", time.Hour},
	{"", -time.Minute},
	{"KEY_MATERIAL_EXPIRES", 367 * day},
}

// importings lists what keys are given: materials by their names in the suite
// of conformance.
var importings = map[string][]importing{
	"SYMMETRIC_DEFAULT": {
		{material: "A*32", fit: true},
		{material: "B*32", fit: true, importType: "NEW_KEY_MATERIAL"},
		{material: "C*32", fit: true, importType: "NEW_KEY_MATERIAL"},
		{material: "B*32", fit: true},
		{material: "B*32", fit: true, importType: "NEW_KEY_MATERIAL"},
		{material: "A*32", fit: true, importType: "NEW_KEY_MATERIAL"},
		{material: "B*32", fit: true, importType: "EXISTING_KEY_MATERIAL"},
		{material: "A*32", fit: true, importType: "EXISTING_KEY_MATERIAL"},
		{material: "C*32", fit: true},
		{material: "A*16"},
	},
	"HMAC_256": {
		{material: "A*32", fit: true},
		{material: "B*32", fit: true},
		{material: "A*32", fit: true, importType: "EXISTING_KEY_MATERIAL"},
		{material: "A*31"},
	},
	"ECC_NIST_P256": {
		{material: "p256", fit: true},
		{material: "p256b", fit: true},
		{material: "p256", fit: true, importType: "NEW_KEY_MATERIAL"},
		{material: "A*32"},
	},
	"RSA_2048": {
		{material: "rsa2048", fit: true},
		{material: "rsa2048b", fit: true},
		{material: "rsa2048", fit: true, importType: "EXISTING_KEY_MATERIAL"},
		{material: "p256"},
	},
}

// present picks a token: mostly the newest of the key, else its oldest, or the
// newest of another key.
func (m *model) present(k *modelKey, b byte, in *importing) string {
	own, others := []int{}, []int{}
	for i, token := range m.tokens {
		if token.key == k {
			own = append(own, i)
		} else {
			others = append(others, i)
		}
	}
	list, n := own, len(own)-1
	switch {
	case b%8 == 6:
		n = 0
	case b%8 == 7:
		list, n = others, len(others)-1
	}
	if len(list) == 0 {
		return "eHh4"
	}
	in.token = &m.tokens[list[n]]
	return numbered("token", list[n])
}

// wrap says how material is wrapped: rarely not as the token says.
func (in *importing) wrap(b byte) *wrapping {
	algorithm := in.token.algorithm
	if strings.HasPrefix(in.material, "rsa") { // for nothing else takes it, whatever another key's token says
		algorithm = "RSA_AES_KEY_WRAP_SHA_256"
	}
	if b/8%16 == 15 {
		in.fit = false
		family, hash, _ := strings.Cut(algorithm, "_SHA_")
		algorithm = family + map[string]string{"1": "_SHA_256", "256": "_SHA_1"}[hash]
	}
	return &wrapping{"{material " + in.material + " under " + algorithm + "}", algorithm, in.material}
}

// told lists the materials whose IDs the caller was told when it imported them.
func (k *modelKey) told() (list []string) {
	if !k.symmetric() || k.origin == "AWS_KMS" {
		return nil
	}
	for _, mat := range k.all() {
		list = append(list, mat.name)
	}
	return append(list, k.forgotten...)
}

func deleteMaterial(m *model, s step) (request, want) {
	a, id, members := m.address(s, false), "", ""
	if a.key != nil && s[3] >= 128 && a.key.symmetric() {
		id = choose(s[3], append(a.key.told(), "no material")...)
		members = `, "KeyMaterialId": "{` + id + `}"`
	}
	r := request{operation: "DeleteImportedKeyMaterial", members: `"KeyId": "` + a.ref + `"` + members}
	if a.fault != "" {
		return r, refuses(a.fault)
	}
	return r, a.key.deletes(id)
}
