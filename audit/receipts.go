// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Receipt is what keymat said of one of its imports.
type Receipt struct {
	KeyARN     string    `json:"key_arn"`
	MaterialID string    `json:"key_material_id"` // symmetric keys only
	Expires    string    `json:"expires"`         // RFC 3339, or "never"
	At         time.Time `json:"imported_at"`
}

// result is a JSON result of keymat: a receipt, or several by Region.
type result struct {
	Receipt
	Regions  []Receipt `json:"regions"`
	Replicas []Receipt `json:"replicas"`
}

// ReadReceipts reads the JSON results that import, bring, reimport and renew
// print, one after another, as a log of them holds. Results of runs that
// imported nothing are passed over. It fails with *NoReceiptError.
func ReadReceipts(r io.Reader) ([]Receipt, error) {
	var receipts []Receipt
	for dec := json.NewDecoder(r); ; {
		var one result
		err := dec.Decode(&one)
		if errors.Is(err, io.EOF) {
			return receipts, nil
		}
		if err != nil {
			// Not the parser's words: they quote what stands there, and somebody
			// may have named a key file.
			return nil, &NoReceiptError{Offset: dec.InputOffset()}
		}
		for _, receipt := range append(append([]Receipt{one.Receipt}, one.Regions...), one.Replicas...) {
			if !receipt.At.IsZero() {
				receipts = append(receipts, receipt)
			}
		}
	}
}

// NoReceiptError says where in a file something else than a JSON result stands.
type NoReceiptError struct{ Offset int64 } // bytes before it

func (e *NoReceiptError) Error() string {
	return fmt.Sprintf("what follows byte %d is no JSON result of keymat", e.Offset)
}

// Difference is where the trail and the receipts do not say the same. One of
// both is nil when the other stands alone.
type Difference struct {
	Event   *Event
	Receipt *Receipt
	Reason  string
}

// tolerance is how far the time of an event and that of its receipt may be
// apart: keymat gives a receipt once it has seen the effect.
const tolerance = 2 * time.Minute

// A Window is the time of which a trail tells.
type Window struct{ From, To time.Time }

// Compare holds the imports of one key in the trail against the receipts for
// it. Receipts of other keys, and of times that the trail does not tell of, are
// left out; unchecked is how many of the latter there were.
func Compare(keyARN string, events []Event, receipts []Receipt, told Window) (differences []Difference, unchecked int) {
	var imports []Event
	for _, e := range events {
		if e.Name == "ImportKeyMaterial" && e.Error == "" {
			imports = append(imports, e)
		}
	}
	receiptOf, taken := match(keyARN, imports, receipts)
	for n, e := range imports {
		if receiptOf[n] < 0 {
			differences = append(differences, Difference{Event: &e, Reason: "imported, but no receipt says so"})
			continue
		}
		if r := receipts[receiptOf[n]]; r.Expires != e.Expires {
			differences = append(differences, Difference{Event: &e, Receipt: &r, Reason: fmt.Sprintf("expires %s according to the trail, %s according to the receipt", e.Expires, r.Expires)})
		}
	}
	for n, r := range receipts {
		switch {
		case taken[n] || r.KeyARN != keyARN:
		case r.At.Before(told.From) || r.At.After(told.To):
			unchecked++
		default:
			differences = append(differences, Difference{Receipt: &r, Reason: "a receipt says so, but the trail shows no such import"})
		}
	}
	return differences, unchecked
}

// match finds for each import the receipt that tells of it, -1 if none does:
// first among those that say the same, so that one of two imports in quick
// succession does not take the receipt of the other.
func match(keyARN string, imports []Event, receipts []Receipt) (receiptOf []int, taken []bool) {
	receiptOf, taken = slices.Repeat([]int{-1}, len(imports)), make([]bool, len(receipts))
	for _, sameExpiry := range []bool{true, false} {
		for n, e := range imports {
			if receiptOf[n] >= 0 {
				continue
			}
			fits := func(r int) bool {
				return !taken[r] && receipts[r].KeyARN == keyARN && receipts[r].MaterialID == e.MaterialID && (!sameExpiry || receipts[r].Expires == e.Expires)
			}
			if r := nearest(e, receipts, fits); r >= 0 {
				receiptOf[n], taken[r] = r, true
			}
		}
	}
	return receiptOf, taken
}

// nearest is the receipt that fits and is nearest in time, -1 if none is near.
func nearest(e Event, receipts []Receipt, fits func(int) bool) int {
	best, distance := -1, tolerance+1
	for n, r := range receipts {
		if apart := r.At.Sub(e.At).Abs(); apart < distance && fits(n) {
			best, distance = n, apart
		}
	}
	return best
}
