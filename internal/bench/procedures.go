// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// measureImport compares three ways to bring a symmetric key into the same
// mock, with wrapping keys ready, under RSAES_OAEP_SHA_256 and RSA_4096.
func measureImport(dir, keymat string, rounds int) error {
	serve := exec.Command(keymat, "mock", "serve", "--listen", "127.0.0.1:0", "--memory", "--shared-wrapping-keys", "--json")
	stdout, err := serve.StdoutPipe()
	if err != nil {
		return err
	}
	if err := serve.Start(); err != nil {
		return err
	}
	defer func() { serve.Process.Kill(); serve.Wait() }()
	var mock struct{ URL string }
	if err := json.NewDecoder(stdout).Decode(&mock); err != nil {
		return fmt.Errorf("keymat mock serve printed no URL: %w", err)
	}
	s := shell{dir: dir, keymat: keymat, url: mock.URL}
	if version, err := s.output("aws", "--version"); err == nil {
		fmt.Printf("\n%s\n", strings.TrimSpace(string(version)))
	}
	if err := s.run(keymat, "generate", "--spec", "SYMMETRIC_DEFAULT", "--out", "given.key"); err != nil {
		return err
	}
	return compare("one import", rounds,
		contender{"`keymat bring`, one process", s.bring},
		contender{"keymat, six processes", s.sixSteps},
		contender{"AWS CLI and openssl, by AWS's guide", s.byHand},
	)
}

// shell runs programs in one folder, against one KMS.
type shell struct{ dir, keymat, url string }

func (s shell) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL_KMS="+s.url, "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=mock", "AWS_SECRET_ACCESS_KEY=mock", "AWS_EC2_METADATA_DISABLED=true")
	return cmd
}

func (s shell) output(program string, args ...string) ([]byte, error) {
	out, err := s.command(program, args...).Output()
	if exit, ok := err.(*exec.ExitError); ok {
		return nil, fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), strings.Join(args, " "), err, exit.Stderr)
	}
	return out, err
}

func (s shell) run(program string, args ...string) error {
	_, err := s.output(program, args...)
	return err
}

func (s shell) bring() error {
	return s.run(s.keymat, "bring", "--material", "given.key", "--never-expires")
}

func (s shell) sixSteps() error {
	if err := s.run(s.keymat, "generate", "--spec", "SYMMETRIC_DEFAULT", "--out", "app.key", "--force"); err != nil {
		return err
	}
	arn, err := s.output(s.keymat, "create", "--spec", "SYMMETRIC_DEFAULT")
	if err != nil {
		return err
	}
	key := strings.TrimSpace(string(arn))
	for _, step := range [][]string{
		{"fetch", key, "--out", "params.json", "--force"},
		{"wrap", "--material", "app.key", "--params", "params.json", "--out", "wrapped.json", "--force"},
		{"import", "--wrapped", "wrapped.json", "--never-expires"},
		{"confirm", key, "--material", "app.key"},
	} {
		if err := s.run(s.keymat, step...); err != nil {
			return err
		}
	}
	return nil
}

// byHand is the procedure of "Importing key material" in the KMS guide: four
// AWS CLI processes and two of openssl. It is spared decoding the blobs with
// openssl, as the guide has it.
func (s shell) byHand() error {
	var created struct{ KeyMetadata struct{ KeyId string } }
	if err := s.aws(&created, "create-key", "--origin", "EXTERNAL"); err != nil {
		return err
	}
	key := created.KeyMetadata.KeyId
	if err := s.run("openssl", "rand", "-out", "PlaintextKeyMaterial.bin", "32"); err != nil {
		return err
	}
	var params struct{ PublicKey, ImportToken string }
	if err := s.aws(&params, "get-parameters-for-import", "--key-id", key,
		"--wrapping-algorithm", "RSAES_OAEP_SHA_256", "--wrapping-key-spec", "RSA_4096"); err != nil {
		return err
	}
	if err := s.decode("WrappingPublicKey.bin", params.PublicKey); err != nil {
		return err
	}
	if err := s.decode("ImportToken.bin", params.ImportToken); err != nil {
		return err
	}
	if err := s.run("openssl", "pkeyutl", "-encrypt", "-in", "PlaintextKeyMaterial.bin", "-out", "EncryptedKeyMaterial.bin",
		"-inkey", "WrappingPublicKey.bin", "-keyform", "DER", "-pubin", "-pkeyopt", "rsa_padding_mode:oaep",
		"-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256"); err != nil {
		return err
	}
	var imported, described any
	if err := s.aws(&imported, "import-key-material", "--key-id", key, "--expiration-model", "KEY_MATERIAL_DOES_NOT_EXPIRE",
		"--encrypted-key-material", "fileb://EncryptedKeyMaterial.bin", "--import-token", "fileb://ImportToken.bin"); err != nil {
		return err
	}
	return s.aws(&described, "describe-key", "--key-id", key)
}

// aws runs aws kms and reads its answer, if there is one, into v.
func (s shell) aws(v any, args ...string) error {
	out, err := s.output("aws", append([]string{"--endpoint-url", s.url, "--output", "json", "kms"}, args...)...)
	if err != nil || len(out) == 0 {
		return err
	}
	return json.Unmarshal(out, v)
}

func (s shell) decode(file, blob string) error {
	b, err := base64.StdEncoding.DecodeString(blob)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.dir, file), b, 0o600)
}
