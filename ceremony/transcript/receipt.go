// SPDX-License-Identifier: Apache-2.0

package transcript

// The events of the machine that imports.

// Submitted says, before it is done, that wrapped material is sent to KMS. What
// the key was before tells, should no answer come, whether it was done.
type Submitted struct {
	Target     string `json:"target"`
	Package    Digest `json:"package"`             // the file that came from the offline machine
	Wrapped    Digest `json:"wrapped"`             // the bytes that are sent
	KeyState   string `json:"key_state"`           // before it, as KMS spells it
	MaterialID string `json:"current_material_id"` // KeyMaterialId before it, "" where KMS shows none
}

// Refused says that KMS did not take what was submitted; or, with the remedy
// WrapAgain and no code, that it was too late to submit what was wrapped.
type Refused struct {
	Target string `json:"target"`
	Code   string `json:"code"` // as KMS spells it, "" where it was not asked or did not answer
	Remedy Remedy `json:"remedy"`
}

// A Remedy is what may follow a refusal.
type Remedy string

// The remedies.
const (
	SendAgain Remedy = "again"    // the same bytes: KMS was not reached, or too busy
	WrapAgain Remedy = "renew"    // a new token, and so a new package
	Incident  Remedy = "incident" // none: KMS cannot open bytes that are those wrapped offline, so somebody else may
)

// Imported says that KMS took the material.
type Imported struct {
	Target     string `json:"target"`
	MaterialID string `json:"material_id"` // KMS's KeyMaterialId, "" for what is no symmetric encryption key: it has none
}

// Verified says that KMS holds this material, and how that was seen.
type Verified struct {
	Target string `json:"target"`
	Method string `json:"method"`
}

// Forgotten says that KMS no longer holds the material, by expiry or deletion.
type Forgotten struct {
	Target string `json:"target"`
	Reason string `json:"reason"`
}

func (Submitted) event() string { return "submit" }
func (Refused) event() string   { return "refuse" }
func (Imported) event() string  { return "import" }
func (Verified) event() string  { return "verify" }
func (Forgotten) event() string { return "forget" }
