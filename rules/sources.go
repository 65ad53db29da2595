// SPDX-License-Identifier: Apache-2.0

package rules

// recorded is an answer that KMS was seen to give in September 2026. What was
// asked is said in a few words.
func recorded(asked string) Source {
	return Source{Title: "KMS recorded answer, September 2026: " + asked}
}

// reference is an operation's page in the API reference.
func reference(operation string) Source {
	return Source{
		Title: "AWS KMS API Reference, " + operation,
		URL:   "https://docs.aws.amazon.com/kms/latest/APIReference/API_" + operation + ".html",
	}
}

// guide is a page of the developer guide.
func guide(title, page string) Source {
	return Source{
		Title: "AWS KMS Developer Guide, " + title,
		URL:   "https://docs.aws.amazon.com/kms/latest/developerguide/" + page + ".html",
	}
}

// The pages about importing.

func guideImport() Source { return guide("Importing key material", "importing-keys") }

func guidePlan() Source {
	return guide("Planning to import key material", "importing-keys-conceptual")
}

func guideFetch() Source {
	return guide("Download the wrapping public key and import token", "importing-keys-get-public-key-and-token")
}

func guideWrap() Source {
	return guide("Encrypt the key material", "importing-keys-encrypt-key-material")
}

func guideDelete() Source {
	return guide("Delete imported key material", "importing-keys-delete-key-material")
}

func guideStates() Source { return guide("Key states of AWS KMS keys", "key-state") }

func guideDeletion() Source { return guide("Delete an AWS KMS key", "deleting-keys") }

func guideRegions() Source {
	return guide("Importing key material into multi-Region keys", "multi-region-keys-import")
}
