// SPDX-License-Identifier: Apache-2.0

package experiment_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/mockkms"
)

// Any refusal will do where no code is known, but no success, and no accident.
func TestAnyRefusal(t *testing.T) {
	for name, tt := range map[string]struct {
		code     string // of the answer; "" is success
		surprise bool
		accident bool
	}{
		"a refusal":   {code: "ValidationException"},
		"another":     {code: "UnsupportedOperationException"},
		"success":     {surprise: true},
		"an accident": {code: "AccessDeniedException", accident: true},
	} {
		b, mock := bench(t)
		if tt.code != "" {
			mock.Inject(mockkms.Fault{Operation: "CreateKey", Kind: mockkms.FaultError, Code: tt.code})
		}
		trial := b.Start(t.Context(), name)
		experiment.Do(trial, "create a key", experiment.Refused(experiment.AnyCode), trial.KMS.CreateKey, &kms.CreateKeyInput{})
		_, surprise := errors.AsType[*experiment.SurpriseError](trial.Err())
		if accident := trial.Err() != nil && !surprise; surprise != tt.surprise || accident != tt.accident {
			t.Errorf("%s: the trial ended in %v", name, trial.Err())
		}
	}
}
