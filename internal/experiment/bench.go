// SPDX-License-Identifier: Apache-2.0

package experiment

import "context"

// Context is the trial's, for the looks of [Trial.Await].
func (t *Trial) Context() context.Context { return t.ctx }

// Second is the bench's other Region. Without one the trial is impossible.
func (t *Trial) Second() string {
	if t.bench.Second == "" {
		t.Impossible("it needs a second Region, and none is given")
	}
	return t.bench.Second
}
