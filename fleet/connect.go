// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"

	"github.com/keymat/keymat/inventory"
)

// Connect gives the KMS of a place; it reads settings but makes no call.
type Connect func(ctx context.Context, p Place) (inventory.Place, error)
