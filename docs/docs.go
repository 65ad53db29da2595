// SPDX-License-Identifier: Apache-2.0

// Package docs holds the guides, which are written by hand, and the command
// reference and man pages, which are generated from the command tree.
package docs

//go:generate go run ./gen
