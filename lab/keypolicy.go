// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
)

// The access keys of the people, and what KMS says when it denies them.
const (
	root       = "ROOT"
	controller = "CONTROLLER"
	keyadmin   = Owner
	superadmin = "SUPERADMIN"
	denied     = "AccessDeniedException"
)

// The statements of key policies in the lesson. Administer and use are what the
// console of AWS writes for administrators and users of a key, a little shorter.
const (
	administer = `    {"Sid": "Administer", "Effect": "Allow", "Resource": "*",
     "Principal": {"AWS": "arn:aws:iam::111122223333:user/keyadmin"},
     "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:Put*", "kms:Enable*", "kms:Disable*",
                "kms:Delete*", "kms:ImportKeyMaterial", "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"]}`
	use = `    {"Sid": "Use", "Effect": "Allow", "Resource": "*",
     "Principal": {"AWS": "arn:aws:iam::111122223333:user/controller"},
     "Action": ["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey", "kms:ScheduleKeyDeletion"]}`
	useToo = `    {"Sid": "UseToo", "Effect": "Allow", "Resource": "*",
     "Principal": {"AWS": "arn:aws:iam::111122223333:user/keyadmin"},
     "Action": ["kms:Encrypt", "kms:Decrypt"]}`
)

// policyOf is a key policy of some statements.
func policyOf(statements ...string) string {
	return "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n" + strings.Join(statements, ",\n") + "\n  ]\n}\n"
}

// handPolicy puts a key policy, by way of a file.
func handPolicy(policy string) []Command {
	return commands("cat > policy.json <<'END'\n"+policy+"END", putPolicyLine)
}

const putPolicyLine = `aws kms put-key-policy --key-id "$KEY" --policy-name default --policy file://policy.json`

// handAs has the commands after it called by somebody.
func handAs(who string) Command { return Command{Line: "export AWS_ACCESS_KEY_ID=" + who} }

// keyPolicyState is what the steps of the lesson hand on.
type keyPolicyState struct {
	key        experiment.Key
	ciphertext []byte // the payroll
}

// payroll is what the controller encrypts.
const payroll = "The payroll of March.\n"

func keyPolicy() Lesson {
	var s keyPolicyState
	encrypt := `aws kms encrypt --key-id "$KEY" --plaintext fileb://payroll.txt`
	decrypt := `aws kms decrypt --ciphertext-blob fileb://payroll.txt.encrypted`
	return Lesson{
		Name: "key-policy", Title: "Who may administer a key, and who may use it", Minutes: 10, Keys: 1,
		Own: "who may do what takes users with policies, and nobody should make users in an account for a lesson",
		Learn: []string{
			"how key policy and identity policies decide together",
			"why an administrator of a key is not a user of it, and what that is worth",
			"what happens when the owner of a key leaves and schedules its deletion",
		},
		Steps: []Step{{
			Title: "Four people and a key",
			Text: `In this account there are: the controller, who does the payroll; keyadmin, who looks after keys; superadmin, whose
identity policy allows everything; and the root user. The controller has no identity policy at all.

Keyadmin makes a key, says nothing about its key policy, and imports material. The policy that KMS then writes has one statement: the
account may do everything. That hands the decision to the identity policies of the account.`,
			Hand: join(commands("cat > people.json <<'END'\n"+string(People)+"END",
				"keymat mock serve --memory --listen 127.0.0.1:0 --principals people.json > settings 2> mock.log &", "SERVER=$!",
				"until [ -s settings ]; do sleep 1; done", `eval "$(cat settings)"`, "export AWS_SECRET_ACCESS_KEY=checked-by-nobody"),
				[]Command{handAs(keyadmin)}, commands(`KEY=$(aws kms create-key --origin EXTERNAL --query KeyMetadata.Arn --output text)`, "openssl rand -out app.key 32"),
				handBring("KEY", "app.key"), commands(`printf 'The payroll of March.\n' > payroll.txt`),
				[]Command{handAs(superadmin)}, commands(encrypt), []Command{handAs(controller), refused(denied, encrypt)}),
			Ask: &Question{
				Text:    "Who can encrypt with this key: superadmin, the controller, or both?",
				Choices: []string{"superadmin", "the controller", "both"},
				Right:   0,
				Why: `The key policy lets the account decide, and in the account only superadmin has a policy that allows it. The controller,
for whom the key was made, may nothing.`,
			},
			Do:   s.defaultPolicy,
			Then: "KMS says why: no identity-based policy allows it. Read the end of such a message first; it says where to look.",
			More: `This lesson is always played in the KMS inside keymat, which evaluates policies as the guides of AWS describe it. Which of its
answers were recorded from the real KMS is written in the guide about the mock's fidelity.`,
		}, {
			Title: "A key policy that names people",
			Text: `Keyadmin puts another key policy: keyadmin administers, the controller uses. And since it is the controller's key, she may
schedule its deletion. The account is not named any more.`,
			Hand: join([]Command{handAs(keyadmin)}, handPolicy(policyOf(administer, use)), []Command{handAs(controller)}, commands(encrypt+` \
  --query CiphertextBlob --output text | openssl base64 -d -A -out payroll.txt.encrypted`, decrypt), []Command{handAs(superadmin), refused(denied, encrypt)}),
			Ask: &Question{
				Text:    "Superadmin's identity policy allows everything. Is that enough to use the key?",
				Choices: []string{"yes", "no, the key policy does not let the account decide"},
				Right:   1,
				Why: `A key policy comes first in KMS. An identity policy counts only if the key policy names the account. Without that,
"everything" does not include this key.`,
			},
			Do: s.namedPolicy,
		}, {
			Title: "Administrators do not use, users do not administer",
			Text:  `Each of the two tries the work of the other: keyadmin to read the payroll, the controller to disable the key.`,
			Hand: []Command{handAs(keyadmin), refused(denied, decrypt), handAs(controller), refused(denied, `aws kms disable-key --key-id "$KEY"`),
				handAs(keyadmin), {Line: `aws kms disable-key --key-id "$KEY"`}, {Line: `aws kms enable-key --key-id "$KEY"`}},
			Do: s.separation,
			Then: `This is separation of duties: who can switch the key off cannot read the payroll, and who reads it cannot switch the
key off.`,
			More: `The console lets you tick administrators and users of a key and writes such statements. Its administrators get
kms:Delete* as well, which includes DeleteImportedKeyMaterial: that needs no waiting period and no second person. For a key with
imported material you may want to take that out.`,
		}, {
			Title: "What an administrator can do to itself",
			Text:  "Keyadmin cannot read the payroll. But keyadmin may change the key policy.",
			Hand:  join(handPolicy(policyOf(administer, use, useToo)), commands(decrypt)),
			Ask: &Question{
				Text:    "Keyadmin writes a statement that allows keyadmin to decrypt. What does KMS do?",
				Choices: []string{"it takes it, and keyadmin reads the payroll", "it refuses: administrators cannot become users"},
				Right:   0,
				Why: `Whoever may put the key policy can give itself, or anybody, every right to the key. Separation of duties does not prevent
that; it makes it visible: PutKeyPolicy stands in CloudTrail, with the name.`,
			},
			Do: s.selfService,
		}, {
			Title: "Locking everybody out",
			Text: `Keyadmin takes that statement back, and then wants to do without administrators as well: a policy with the
controller alone.`,
			Hand: join(handPolicy(policyOf(administer, use)), commands("cat > policy.json <<'END'\n"+policyOf(use)+"END"),
				[]Command{refused("MalformedPolicyDocumentException", putPolicyLine), handAs(root), refused(denied, encrypt)}),
			Ask: &Question{
				Text:    "Could the root user of the account have helped afterwards?",
				Choices: []string{"yes, the root user may always do everything", "no, a key policy binds the root user too"},
				Right:   1,
				Why: `Only a key policy that names the account lets the root user in. That is why KMS checks that whoever puts a policy could
put the next one as well (unless told to skip the check). Should it happen all the same, only AWS Support can help.`,
			},
			Do: s.lockOut,
		}, {
			Title: "The owner leaves",
			Text: `The controller has quarrelled with everybody. On her last day she schedules the deletion of "her" key, with the shortest
waiting period.`,
			Hand: []Command{handAs(controller), {Line: `aws kms schedule-key-deletion --key-id "$KEY" --pending-window-in-days 7`},
				refused("KMSInvalidStateException", decrypt), refused(denied, `aws kms cancel-key-deletion --key-id "$KEY"`)},
			Ask: &Question{
				Text:    "The next controller wants to read the payroll. When does the damage begin, and when is it final?",
				Choices: []string{"both in 7 days", "the key stops at once, and is gone in 7 days", "at once, and for good"},
				Right:   1,
				Why: `A key that waits for its deletion does nothing any more, so you notice. Within the 7 days it can be taken back; after
that no copy of the material helps, as lesson delete-and-return shows.`,
			},
			Do: s.leave,
		}, {
			Title: "Taking it back",
			Text:  "Keyadmin may cancel deletions, and enables the key again.",
			Hand: []Command{handAs(keyadmin), {Line: `aws kms cancel-key-deletion --key-id "$KEY"`}, {Line: `aws kms enable-key --key-id "$KEY"`},
				handAs(controller), {Line: decrypt}, {Line: `kill "$SERVER"`}},
			Do: s.takeBack,
			Then: `The lesson of the story: give ScheduleKeyDeletion to few, CancelKeyDeletion to somebody else as well, and have an alarm on
both, since only the waiting period protects you. A policy can also demand a longer one, with the condition key
kms:ScheduleKeyDeletionPendingWindowInDays.`,
		}},
	}
}

// encrypts has somebody encrypt the payroll.
func (s *keyPolicyState) encrypts(r *Run, who, what string, want experiment.Answer) []byte {
	return askAs(r, who, what, want, r.KMS.Encrypt, &kms.EncryptInput{KeyId: aws.String(s.key.ARN), Plaintext: []byte(payroll)}).CiphertextBlob
}

func (s *keyPolicyState) decrypts(r *Run, who, what string, want experiment.Answer) {
	out := askAs(r, who, what, want, r.KMS.Decrypt, &kms.DecryptInput{CiphertextBlob: s.ciphertext})
	if want == experiment.Success {
		r.Same("the payroll", []byte(payroll), out.Plaintext)
	}
}

func (s *keyPolicyState) puts(r *Run, what string, want experiment.Answer, statements ...string) {
	askAs(r, keyadmin, what, want, r.KMS.PutKeyPolicy, &kms.PutKeyPolicyInput{KeyId: aws.String(s.key.ARN), Policy: aws.String(policyOf(statements...))})
}

func (s *keyPolicyState) defaultPolicy(r *Run) {
	s.key = r.NewKey(material.SymmetricDefault, nil)
	r.Bring(s.key, r.Material(material.SymmetricDefault))
	r.reaches(s.key, types.KeyStateEnabled)
	s.encrypts(r, superadmin, "superadmin encrypts", experiment.Success)
	s.encrypts(r, controller, "the controller encrypts", experiment.Refused(denied).Saying("no identity-based policy allows"))
}

func (s *keyPolicyState) namedPolicy(r *Run) {
	s.puts(r, "keyadmin puts the key policy", experiment.Success, administer, use)
	s.ciphertext = s.encrypts(r, controller, "the controller encrypts the payroll", experiment.Success)
	s.decrypts(r, controller, "the controller decrypts it", experiment.Success)
	s.encrypts(r, superadmin, "superadmin encrypts", experiment.Refused(denied).Saying("no resource-based policy allows"))
}

func (s *keyPolicyState) separation(r *Run) {
	s.decrypts(r, keyadmin, "keyadmin decrypts the payroll", experiment.Refused(denied))
	disable, enable := &kms.DisableKeyInput{KeyId: aws.String(s.key.ARN)}, &kms.EnableKeyInput{KeyId: aws.String(s.key.ARN)}
	askAs(r, controller, "the controller disables the key", experiment.Refused(denied), r.KMS.DisableKey, disable)
	askAs(r, keyadmin, "keyadmin disables the key", experiment.Success, r.KMS.DisableKey, disable)
	askAs(r, keyadmin, "keyadmin enables it", experiment.Success, r.KMS.EnableKey, enable)
	r.reaches(s.key, types.KeyStateEnabled)
}

func (s *keyPolicyState) selfService(r *Run) {
	s.puts(r, "keyadmin adds a statement for keyadmin", experiment.Success, administer, use, useToo)
	s.decrypts(r, keyadmin, "keyadmin decrypts the payroll", experiment.Success)
}

func (s *keyPolicyState) lockOut(r *Run) {
	s.puts(r, "keyadmin takes it back", experiment.Success, administer, use)
	s.puts(r, "keyadmin puts a policy without keyadmin", experiment.Refused("MalformedPolicyDocumentException"), use)
	s.encrypts(r, root, "the root user encrypts", experiment.Refused(denied))
}

func (s *keyPolicyState) leave(r *Run) {
	askAs(r, controller, "the controller schedules the deletion", experiment.Success, r.KMS.ScheduleKeyDeletion,
		&kms.ScheduleKeyDeletionInput{KeyId: aws.String(s.key.ARN), PendingWindowInDays: aws.Int32(experiment.Window)})
	r.reaches(s.key, types.KeyStatePendingDeletion)
	s.decrypts(r, controller, "the controller decrypts the payroll", experiment.Refused("KMSInvalidStateException").Saying("is pending deletion"))
	askAs(r, controller, "she thinks better of it", experiment.Refused(denied), r.KMS.CancelKeyDeletion, &kms.CancelKeyDeletionInput{KeyId: aws.String(s.key.ARN)})
}

func (s *keyPolicyState) takeBack(r *Run) {
	askAs(r, keyadmin, "keyadmin cancels the deletion", experiment.Success, r.KMS.CancelKeyDeletion, &kms.CancelKeyDeletionInput{KeyId: aws.String(s.key.ARN)})
	r.reaches(s.key, types.KeyStateDisabled)
	askAs(r, keyadmin, "keyadmin enables the key", experiment.Success, r.KMS.EnableKey, &kms.EnableKeyInput{KeyId: aws.String(s.key.ARN)})
	r.reaches(s.key, types.KeyStateEnabled)
	s.decrypts(r, controller, "the controller decrypts the payroll", experiment.Success)
}
