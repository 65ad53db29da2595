// SPDX-License-Identifier: Apache-2.0

//go:build !goexperiment.runtimesecret

package material

// ErasingEnabled reports whether this program was built with GOEXPERIMENT=runtimesecret, so that [Erasing] does something.
const ErasingEnabled = false

// Erasing calls f and has the runtime erase the registers and stack f used at once, and the heap memory f allocated when the
// collector finds it unreachable; runtime.GC brings that forward. It works on linux/amd64 and linux/arm64; elsewhere, and
// without GOEXPERIMENT=runtimesecret, it only calls f. Memory of goroutines that f starts is not covered.
func Erasing(f func()) { f() }
