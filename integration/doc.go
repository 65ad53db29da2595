// SPDX-License-Identifier: Apache-2.0

// Package integration holds keymat against tools that its authors did not
// write: openssl, ssh-keygen, age, zbar, packages for SLIP-0039 and Shamir
// sharing, the AWS CLI, boto3 and the AWS SDKs for Go and JavaScript, as real
// processes on both sides of every file and every request; and SoftHSM, as the
// token of keymat-hsm.
// It also kills processes at bad moments and searches what a full run leaves
// behind for secrets.
//
// The tests need these tools, and are left out of go test ./... for that:
//
//	apt-get install openssl openssh-client awscli python3-boto3 nodejs npm age jq zbar-tools librsvg2-bin poppler-utils strace softhsm2 opensc gcc libc6-dev
//	go test -tags integration ./integration
//
// A missing tool fails the test that needs it. Of the AWS CLI and boto3, every
// version on PATH is tried. The SDK for JavaScript and the packages for shares
// come from the npm registry, on the first run, in the versions of
// testdata/js/package-lock.json, which are the last for Node 18, and of
// testdata/shares/package-lock.json.
//
// Terraform itself is tried behind a tag of its own, since its AWS provider
// comes from a registry that not every machine reaches:
//
//	go test -tags integration,terraform -run TestTerraform ./integration
//
// Where that is so, terraform init needs a mirror: a folder that terraform
// providers mirror has filled elsewhere for testdata/terraform, named as
// filesystem_mirror in the file that TF_CLI_CONFIG_FILE points at. What the
// provider asks of KMS for an aws_kms_external_key is tried without it.
package integration
