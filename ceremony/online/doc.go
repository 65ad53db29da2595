// SPDX-License-Identifier: Apache-2.0

// Package online is the part of a ceremony that talks to KMS, on two machines
// which nobody works both of:
//
//   - the [Fetcher] downloads wrapping keys and import tokens, two people sign
//     them, and a medium takes them to the offline machine;
//   - the [Machine] that imports takes what was wrapped there, submits just these
//     bytes, proves by use that KMS holds the material, and records it all.
//
// They are two because nothing else finds out a wrapping key that was exchanged
// on the way: AWS signs none, and its trail shows none. Whoever exchanges it can
// open what was wrapped, and KMS cannot. So the machine that imports never wraps
// again and never fetches; and when KMS cannot open the bytes whose digest was
// read aloud where they were made, that is an incident ([transcript.Incident]),
// after which nothing is submitted any more.
package online
