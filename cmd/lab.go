// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	"github.com/spf13/cobra"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/awsclient"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/mockkms"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

func newLabCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "lab",
		Short: "Play the bring-your-own-key lab, step by step",
		Long: `Play the whole bring-your-own-key lab and say what happens at each step: create
a key, generate material, fetch, wrap, import, use it, delete the material, bring
it back, and try what is not allowed.

It runs in a KMS inside keymat that is forgotten at the end. With --mock it uses
the mock's state; with --endpoint-url or --profile it uses that KMS, and schedules the keys
it made for deletion.`,
		Example: `  keymat lab`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.lab(cmd.Context()) },
	}
}

// labWindow is the shortest waiting period for the deletion of a key, in days.
const labWindow = 7

// lab is one run of the lab.
type lab struct {
	kms  *kms.Client
	im   *importer.Importer
	out  io.Writer
	step int

	key        importer.Key
	material   *material.Material
	parameters *token.Parameters
	wrapped    *token.Wrapped
	ciphertext []byte
	keys       []string // made on the way
}

func (a *app) lab(ctx context.Context) error {
	client, err := a.labKMS(ctx)
	if err != nil {
		return err
	}
	out := a.env.Stdout
	if a.globals.json {
		out = a.env.Stderr
	}
	l := &lab{kms: client, im: &importer.Importer{KMS: client}, out: out}
	err = errors.Join(l.play(ctx), l.cleanUp(context.WithoutCancel(ctx)))
	if err != nil {
		return err
	}
	return a.print(labDone{Steps: l.step, Keys: l.keys})
}

// labKMS is a KMS of the lab's own unless another is named.
func (a *app) labKMS(ctx context.Context) (*kms.Client, error) {
	if a.globals.mock || a.globals.endpointURL != "" || a.globals.profile != "" {
		return a.connect(ctx)
	}
	mock := mockkms.New()
	a.closers = append(a.closers, mock.Close)
	return awsclient.New(ctx, awsclient.Options{Region: a.globals.region, Transport: mockkms.Transport(mock)})
}

func (l *lab) play(ctx context.Context) error {
	steps := []struct {
		title string
		run   func(context.Context) error
	}{
		{"Create a KMS key without material (origin EXTERNAL)", l.createKey},
		{"Generate 32 random bytes of your own", l.generate},
		{"Fetch a wrapping key and an import token", l.fetch},
		{"Wrap the material under the wrapping key", l.wrap},
		{"Import it", l.importIt},
		{"Use the key: encrypt and decrypt", l.use},
		{"Take the same token and ciphertext to a second key", l.secondKey},
		{"Try to import other material", l.otherMaterial},
		{"Delete the material: no waiting period", l.deleteMaterial},
		{"Bring the same material back", l.bringBack},
	}
	for _, s := range steps {
		l.step++
		fmt.Fprintf(l.out, "\n%d. %s\n", l.step, s.title)
		if err := s.run(ctx); err != nil {
			return fmt.Errorf("step %d of the lab: %w", l.step, err)
		}
	}
	return nil
}

func (l *lab) note(format string, args ...any) { fmt.Fprintf(l.out, "   "+format+"\n", args...) }

func (l *lab) createKey(ctx context.Context) (err error) {
	if l.key, err = l.newKey(ctx); err != nil {
		return err
	}
	l.note("%s", l.key.ARN)
	l.note("state %s: it can do nothing until it has material", l.key.State)
	return nil
}

func (l *lab) newKey(ctx context.Context) (importer.Key, error) {
	k, err := l.im.Create(ctx, importer.CreateRequest{Spec: material.SymmetricDefault, Description: "keymat lab"})
	if err == nil {
		l.keys = append(l.keys, k.ARN)
	}
	return k, err
}

func (l *lab) generate(context.Context) (err error) {
	if l.material, err = material.Generate(material.SymmetricDefault); err != nil {
		return err
	}
	l.note("fingerprint %s (the bytes stay in this process)", l.material.Fingerprint())
	l.note("in earnest you would keep a copy now: AWS never gives material back")
	return nil
}

func (l *lab) fetch(ctx context.Context) (err error) {
	pair := wrap.Pair{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA2048}
	if l.parameters, err = l.im.Fetch(ctx, l.key, pair); err != nil {
		return err
	}
	l.note("%s, public key of %d bytes, token of %d bytes", pair, len(l.parameters.PublicKey), len(l.parameters.ImportToken))
	l.note("they belong to this key and are valid until %s", deadline(l.parameters.ValidTo, time.Now()))
	return nil
}

func (l *lab) wrap(context.Context) (err error) {
	if l.wrapped, err = token.Wrap(l.parameters, l.material); err != nil {
		return err
	}
	l.note("32 bytes became %d, which only KMS can open", len(l.wrapped.EncryptedKeyMaterial))
	return nil
}

func (l *lab) importIt(ctx context.Context) error {
	receipt, err := l.im.Import(ctx, importer.ImportRequest{Wrapped: l.wrapped, Expiry: importer.Never()})
	if err != nil {
		return err
	}
	l.note("state %s, key material ID %s", receipt.State, receipt.MaterialID)
	return nil
}

const labText = "attack at dawn"

func (l *lab) use(ctx context.Context) error {
	out, err := l.kms.Encrypt(ctx, &kms.EncryptInput{KeyId: aws.String(l.key.ARN), Plaintext: []byte(labText)})
	if err != nil {
		return err
	}
	l.ciphertext = out.CiphertextBlob
	l.note("encrypted %q: %d bytes", labText, len(l.ciphertext))
	return l.decrypt(ctx)
}

func (l *lab) decrypt(ctx context.Context) error {
	out, err := l.kms.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: l.ciphertext})
	if err != nil {
		return err
	}
	l.note("decrypted: %q", out.Plaintext)
	return nil
}

func (l *lab) secondKey(ctx context.Context) error {
	k, err := l.newKey(ctx)
	if err != nil {
		return err
	}
	_, err = l.kms.ImportKeyMaterial(ctx, &kms.ImportKeyMaterialInput{
		KeyId:                aws.String(k.ARN),
		ImportToken:          l.wrapped.ImportToken,
		EncryptedKeyMaterial: l.wrapped.EncryptedKeyMaterial,
		ExpirationModel:      types.ExpirationModelTypeKeyMaterialDoesNotExpire,
	})
	return expectRefusal[*types.InvalidImportTokenException](l, err, "a token belongs to one key")
}

func (l *lab) otherMaterial(ctx context.Context) error {
	other, err := material.Generate(material.SymmetricDefault)
	if err != nil {
		return err
	}
	defer other.Destroy()
	_, _, err = l.im.Bring(ctx, l.key, other, wrap.Pair{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA2048}, importer.ImportRequest{Expiry: importer.Never()})
	return expectRefusal[*types.IncorrectKeyMaterialException](l, err, "only the same material may come back")
}

func (l *lab) deleteMaterial(ctx context.Context) error {
	done, err := l.im.DeleteMaterial(ctx, l.key, "")
	if err != nil {
		return err
	}
	l.key.State = done.State
	l.note("state %s, at once", done.State)
	_, err = l.kms.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: l.ciphertext})
	return expectRefusal[*types.KMSInvalidStateException](l, err, "without material nothing can be decrypted")
}

func (l *lab) bringBack(ctx context.Context) error {
	key, err := l.im.Describe(ctx, l.key.ARN)
	if err != nil {
		return err
	}
	pair := wrap.Pair{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA2048}
	done, err := l.im.Reimport(ctx, key, l.material, pair, importer.ImportRequest{Expiry: importer.In(90*24*time.Hour, time.Now())})
	if err != nil {
		return err
	}
	l.note("the same key material ID %s, which now %s", done.Receipt.MaterialID, describeExpiry(done.Receipt.Expiry, time.Now()))
	return l.decrypt(ctx)
}

// expectRefusal turns the refusal that a rule demands into a success, and its
// absence into an error.
func expectRefusal[E error](l *lab, err error, rule string) error {
	if err == nil {
		return fmt.Errorf("KMS did not refuse it, although %s", rule)
	}
	if _, ok := errors.AsType[E](err); !ok {
		return err
	}
	l.note("refused: %s", describeRefusal(err))
	l.note("the rule: %s", rule)
	return nil
}

// describeRefusal is what KMS answered, without the call it answered to.
func describeRefusal(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return describeAPI(api)
	}
	return err.Error()
}

// cleanUp schedules the keys for deletion, as nobody needs them, and says so.
func (l *lab) cleanUp(ctx context.Context) error {
	fmt.Fprintln(l.out)
	l.material.Destroy()
	for _, key := range l.keys {
		out, err := l.kms.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: aws.String(key), PendingWindowInDays: aws.Int32(labWindow)})
		if err != nil {
			return &importer.UnfinishedError{KeyARN: key, Err: &importer.CallError{Operation: "ScheduleKeyDeletion", Key: key, Err: err}}
		}
		fmt.Fprintf(l.out, "%s will be deleted on %s: a key, unlike its material, has to wait at least %d days\n", key, aws.ToTime(out.DeletionDate).UTC().Format(time.DateOnly), labWindow)
	}
	return nil
}

type labDone struct {
	Steps int      `json:"steps"`
	Keys  []string `json:"keys"`
}

func (d labDone) text(w io.Writer) {
	fmt.Fprintf(w, "\nDone: %d steps. Now with a file of your own: keymat bring --mock --out my.key --never-expires\n", d.Steps)
}
