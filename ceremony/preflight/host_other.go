// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package preflight

import "errors"

// randomReady is not known how to ask here.
func randomReady() (bool, error) { return false, errors.ErrUnsupported }
