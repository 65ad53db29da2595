// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"context"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
)

// Recording reports whether there is a record to add to.
func (m *Machine) Recording() bool { return m.open() }

// Note records something worth telling beside the steps, such as what was observed
// of the machine. The operators and witnesses answer for it. Errors are those of
// Perform.
func (m *Machine) Note(ctx context.Context, r room.Room, text string) error {
	return m.note(ctx, r, m.with(plan.Operator, plan.Witness), text)
}
