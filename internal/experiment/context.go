// SPDX-License-Identifier: Apache-2.0

package experiment

import "context"

// Context is the trial's, for the looks of [Trial.Await].
func (t *Trial) Context() context.Context { return t.ctx }
