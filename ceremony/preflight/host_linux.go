// SPDX-License-Identifier: Apache-2.0

package preflight

import (
	"errors"

	"golang.org/x/sys/unix"
)

// randomReady asks for a byte that is not waited for (getrandom(2)).
func randomReady() (bool, error) {
	_, err := unix.Getrandom(make([]byte, 1), unix.GRND_NONBLOCK)
	if errors.Is(err, unix.EAGAIN) {
		return false, nil
	}
	return err == nil, err
}
