// SPDX-License-Identifier: Apache-2.0

package escrow_test

import (
	"testing"

	"github.com/keymat/keymat/escrow"
)

func TestParseQuorum(t *testing.T) {
	for text, want := range map[string][2]int{"2/2": {2, 2}, "3/5": {3, 5}, "16/16": {16, 16}} {
		if k, n, ok := escrow.ParseQuorum(text); !ok || k != want[0] || n != want[1] {
			t.Errorf("%s: got %d of %d, %t", text, k, n, ok)
		}
	}
	for _, text := range []string{"", "3", "/", "3/", "/5", "1/5", "0/0", "3/2", "16/17", "17/17", "-2/5", "3/5/7", "3 / 5", "a/b"} {
		if k, n, ok := escrow.ParseQuorum(text); ok {
			t.Errorf("%q: got %d of %d", text, k, n)
		}
	}
}
