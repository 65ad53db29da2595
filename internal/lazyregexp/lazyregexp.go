// SPDX-License-Identifier: Apache-2.0

// Package lazyregexp compiles regular expressions when they are first used: a
// program that compiles all of its packages' at its start is slow to say even
// its version.
package lazyregexp

import (
	"regexp"
	"sync"
)

// New gives the expression, compiled by the first who asks; it panics then as
// [regexp.MustCompile] does.
func New(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
