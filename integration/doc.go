// SPDX-License-Identifier: Apache-2.0

// Package integration holds keymat against tools that its authors did not
// write: openssl, ssh-keygen, the AWS CLI and boto3, as real processes on both
// sides of every file and every request. It also kills processes at bad moments
// and searches what a full run leaves behind for secrets.
//
// The tests need these tools, and are left out of go test ./... for that:
//
//	apt-get install openssl openssh-client awscli python3-boto3
//	go test -tags integration ./integration
//
// A missing tool fails the test that needs it.
package integration
