// SPDX-License-Identifier: Apache-2.0

// Package plan is the reviewed plan of a key ceremony: one YAML file that says
// before the day what is made, who does it, who confirms, who keeps which share
// where, and which KMS keys get the material. On the day nobody decides: every
// later step takes its parameters from the plan.
//
// [Read] is strict about the form, [Plan.Lint] finds what is wrong with the
// content, [Diff] compares two plans by what they say, and [Draft] writes one to
// begin with, with all members explained. Approvals are ssh signatures over the
// bytes of the file, see [Plan.CheckApprovals].
//
// The package is pure.
package plan
