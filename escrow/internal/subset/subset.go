// SPDX-License-Identifier: Apache-2.0

// Package subset walks through every way to choose some of the shares of a secret, so that all of them can be tried.
package subset

import "iter"

// All yields every subset of k of the items, in the order of the items. The slice is reused from one to the next. For k below 1
// or above the number of items there is none.
func All[T any](items []T, k int) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		if k >= 1 {
			choose(make([]T, 0, k), items, k, yield)
		}
	}
}

// choose adds each subset of k of the items to chosen, and reports whether to go on.
func choose[T any](chosen, items []T, k int, yield func([]T) bool) bool {
	if k == 0 {
		return yield(chosen)
	}
	for i := range len(items) - k + 1 {
		if !choose(append(chosen, items[i]), items[i+1:], k-1, yield) {
			return false
		}
	}
	return true
}
