// SPDX-License-Identifier: Apache-2.0

package subset_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/keymat/keymat/escrow/internal/subset"
)

func TestAll(t *testing.T) {
	tests := []struct {
		items string
		k     int
		want  string
	}{
		{"abcd", 2, "ab ac ad bc bd cd"},
		{"abcd", 3, "abc abd acd bcd"},
		{"abcd", 4, "abcd"},
		{"abcd", 1, "a b c d"},
		{"abcd", 5, ""},
		{"abcd", 0, ""},
		{"abcd", -1, ""},
		{"", 1, ""},
	}
	for _, tt := range tests {
		var got []string
		for s := range subset.All([]byte(tt.items), tt.k) {
			got = append(got, string(s))
		}
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("%d of %q: got %q, want %q", tt.k, tt.items, got, tt.want)
		}
	}
}

func TestAllCountsAndStops(t *testing.T) {
	items := make([]int, 16)
	for k, want := range []int{0, 16, 120, 560, 1820, 4368, 8008, 11440, 12870} {
		got := 0
		for range subset.All(items, k) {
			got++
		}
		if got != want {
			t.Errorf("%d of 16: %d subsets, want %d", k, got, want)
		}
	}
	var seen []string
	for s := range subset.All([]string{"a", "b", "c"}, 2) {
		if seen = append(seen, fmt.Sprint(s)); len(seen) == 2 {
			break
		}
	}
	if want := []string{"[a b]", "[a c]"}; !slices.Equal(seen, want) {
		t.Errorf("got %v, want %v", seen, want)
	}
}
