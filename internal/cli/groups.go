// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"
)

// flagsError says as people would which flags of a command are missing, or too many. Cobra has no types for these errors, only
// texts. Errors about anything else stay as they are.
func flagsError(err error) error {
	text := err.Error()
	if given, ok := within(text, "] are set none of the others can be; [", "] were all set"); ok {
		return fmt.Errorf("%s cannot be given together", flagNames(given, "and"))
	}
	if missing, ok := within(text, "] are set they must all be set; missing [", "]"); ok {
		group, _ := within(text, "if any flags in the group [", "] are set")
		return fmt.Errorf("%s go together: missing %s", flagNames(group, "and"), flagNames(missing, "and"))
	}
	if group, ok := within(text, "at least one of the flags in the group [", "] is required"); ok {
		return fmt.Errorf("missing %s", flagNames(group, "or"))
	}
	if missing, ok := within(text, "required flag(s) ", " not set"); ok {
		return fmt.Errorf("missing %s", flagNames(strings.NewReplacer(`"`, "", ",", "").Replace(missing), "and"))
	}
	return err
}

// within is what stands in a text between two others.
func within(text, before, after string) (string, bool) {
	_, rest, ok := strings.Cut(text, before)
	if !ok {
		return "", false
	}
	part, _, ok := strings.Cut(rest, after)
	return part, ok
}

// flagNames are the flags with some names, which spaces separate.
func flagNames(names, conjunction string) string {
	all := strings.Fields(names)
	for i := range all {
		all[i] = "--" + all[i]
	}
	last := len(all) - 1
	if last == 0 {
		return all[0]
	}
	return strings.Join(all[:last], ", ") + " " + conjunction + " " + all[last]
}
