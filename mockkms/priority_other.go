// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package mockkms

// lowerPriority does nothing where threads have no priority of their own.
func lowerPriority() {}
