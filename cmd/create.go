// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
)

// newKey are the flags that describe a KMS key to be created.
type newKey struct {
	spec        material.Spec
	usage       string
	alias       string
	multiRegion bool
	description string
	tags        []string
}

func (k *newKey) register(c *cobra.Command) {
	specFlag(c, &k.spec, "`spec` of the key, such as SYMMETRIC_DEFAULT, HMAC_256 or RSA_2048")
	usageFlag(c, &k.usage)
	c.Flags().StringVar(&k.alias, "alias", "", "`alias` for the key, such as alias/app")
	c.Flags().BoolVar(&k.multiRegion, "multi-region", false, "make it the primary of a multi-Region key")
	c.Flags().StringVar(&k.description, "description", "", "`text` that describes the key")
	c.Flags().StringArrayVar(&k.tags, "tag", nil, "`key=value` to tag the key with; repeat for more")
}

func (k newKey) request() (importer.CreateRequest, error) {
	usage, err := keyUsage(k.usage)
	if err != nil {
		return importer.CreateRequest{}, err
	}
	if k.alias != "" && !strings.HasPrefix(k.alias, "alias/") {
		return importer.CreateRequest{}, usagef("an alias begins with alias/, so: --alias alias/%s", k.alias)
	}
	tags, err := tagMap(k.tags)
	if err != nil {
		return importer.CreateRequest{}, err
	}
	return importer.CreateRequest{
		Spec:        k.spec,
		Usage:       usage,
		Alias:       k.alias,
		MultiRegion: k.multiRegion,
		Description: k.description,
		Tags:        tags,
	}, nil
}

// tagMap reads the values of --tag.
func tagMap(list []string) (map[string]string, error) {
	tags := map[string]string{}
	for _, tag := range list {
		key, value, found := strings.Cut(tag, "=")
		if !found || key == "" {
			return nil, usagef("--tag takes key=value, not %q", tag)
		}
		tags[key] = value
	}
	return tags, nil
}

func newCreateCmd(a *app) *cobra.Command {
	var o newKey
	c := &cobra.Command{
		Use:   "create --spec <spec>",
		Short: "Create a KMS key that waits for your material",
		Long: `Create a KMS key of origin EXTERNAL. It has no key material and cannot be used
until you import some. Spec, usage and origin can never be changed.

The ARN of the key is printed. AWS bills a key by the month from now on, with
or without material, until it is scheduled for deletion.`,
		Example: `  keymat create --spec SYMMETRIC_DEFAULT --alias alias/app
  keymat create --spec RSA_3072 --usage ENCRYPT_DECRYPT --tag team=payments`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.create(cmd.Context(), o) },
	}
	o.register(c)
	require(c, "spec")
	return c
}

func (a *app) create(ctx context.Context, o newKey) error {
	request, err := o.request()
	if err != nil {
		return err
	}
	im, err := a.importer(ctx)
	if err != nil {
		return err
	}
	key, err := im.Create(ctx, request)
	if err != nil {
		return err
	}
	return a.print(createdKey{keyFields: fieldsOf(key), Alias: o.alias})
}

// keyFields is how a key appears in results.
type keyFields struct {
	KeyARN     string        `json:"key_arn"`
	KeyID      string        `json:"key_id"`
	KeySpec    material.Spec `json:"key_spec"`
	KeyUsage   string        `json:"key_usage"`
	KeyState   string        `json:"key_state"`
	Origin     string        `json:"origin"`
	MaterialID string        `json:"key_material_id,omitempty"`
}

func fieldsOf(k importer.Key) keyFields {
	return keyFields{
		KeyARN:     k.ARN,
		KeyID:      k.ID,
		KeySpec:    k.Spec,
		KeyUsage:   string(k.Usage),
		KeyState:   string(k.State),
		Origin:     string(k.Origin),
		MaterialID: k.MaterialID,
	}
}

type createdKey struct {
	keyFields
	Alias string `json:"alias,omitempty"`
}

func (c createdKey) text(w io.Writer) { fmt.Fprintln(w, c.KeyARN) }
