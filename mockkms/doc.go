// SPDX-License-Identifier: Apache-2.0

// Package mockkms answers as AWS KMS does.
//
// [New] makes an [http.Handler] that speaks the KMS wire protocol (AWS JSON
// 1.1) for every account and Region that a request's credential scope names.
// Served over a socket it stands in for the real endpoint; through [Transport]
// it does so inside the process, where testing/synctest moves its clock:
//
//	mock := mockkms.New()
//	client := kms.NewFromConfig(cfg, func(o *kms.Options) {
//		o.HTTPClient = &http.Client{Transport: mockkms.Transport(mock)}
//	})
//
// Imported key material is really unwrapped, used and forgotten: what a key
// signs, encrypts or authenticates depends on the bytes that were imported,
// import tokens end after 24 hours, and material goes at its ValidTo.
//
// All Regions are on the one endpoint: a multi-Region key that is replicated
// through a client of one Region is there for the client of the other. New
// material rotates in at the dates of EnableKeyRotation and after
// RotateKeyOnDemand, in all Regions at once.
//
// The state lives in memory, or in one file that several processes share
// (see [OpenStore]). [KMS.Server] serves it over a socket, with a health check
// and a control path; [KMS.MoveClock] lets time pass; [KMS.Events] tells what
// was called, as CloudTrail would; [KMS.Inject] and [Conditions] make it as
// slow, forgetful or busy as the real one can be.
//
// Who may do what is not asked, unless there are principals (see [Principals]):
// then key policies, identity-based policies and grants are enforced.
//
// Nothing here protects anything: key material is stored in the clear, and
// signatures are not checked unless asked for.
package mockkms
