// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux && !darwin

package files

// moveNew gives temp the name name, which must not exist.
func moveNew(temp, name string) error { return linkNew(temp, name) }
