// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// brought is the result of bring: the receipt of the key, the escrow if one was
// made, and the receipts of the replicas.
type brought struct {
	receipt
	Escrow   *sealedEscrow    `json:"escrow,omitempty"`
	Replicas []broughtReplica `json:"replicas,omitempty"`
}

type broughtReplica struct {
	Region string `json:"region"`
	*receipt
	Error string `json:"error,omitempty"`
}

func (b brought) text(w io.Writer) {
	fields(w, append(b.receipt.rows(), "escrow", b.Escrow.row())...)
	for _, r := range b.Replicas {
		fmt.Fprintln(w)
		if r.Error != "" {
			fields(w, "replica", r.Region, "error", r.Error)
			continue
		}
		r.receipt.text(w)
	}
}

// bringReplicas brings what the primary has just got into the replicas. A
// Region that fails does not keep the others from theirs.
func (a *app) bringReplicas(ctx context.Context, im *importer.Importer, primary importer.Receipt, regions []string, m *material.Material, pair wrap.Pair) ([]broughtReplica, error) {
	var all []broughtReplica
	var failed error
	for _, region := range regions {
		got, err := bringReplica(ctx, im, primary, region, m, pair)
		if err != nil {
			failed = firstOf(failed, &replicaError{key: primary.KeyARN, region: region, err: err})
			all = append(all, broughtReplica{Region: region, Error: describeError(err)})
			continue
		}
		all = append(all, broughtReplica{Region: region, receipt: &got})
	}
	return all, failed
}

func bringReplica(ctx context.Context, im *importer.Importer, primary importer.Receipt, region string, m *material.Material, pair wrap.Pair) (receipt, error) {
	key, err := im.Describe(ctx, primary.KeyARN)
	if err != nil {
		return receipt{}, err
	}
	c, err := im.Replicate(ctx, key, region)
	if err != nil {
		return receipt{}, err
	}
	got, proven, err := c.Bring(ctx, c.Key, m, pair, importer.ImportRequest{Expiry: primary.Expiry, MaterialID: primary.MaterialID})
	if err != nil {
		return receipt{}, err
	}
	return receiptOf(got, proofOf(proven)), noIfMismatch(proven)
}

// replicaError is what went wrong in one Region, while the primary has its
// material: exit code 4.
type replicaError struct {
	key, region string
	err         error
}

func (e *replicaError) Error() string { return fmt.Sprintf("the replica in %s: %v", e.region, e.err) }
func (e *replicaError) Unwrap() error { return e.err }

func explainReplica(err error) (cli.Advice, bool) {
	e, ok := errors.AsType[*replicaError](err)
	if !ok {
		return cli.Advice{}, false
	}
	again := fmt.Sprintf("the primary is done; go on with: keymat bring --key %s --material FILE --replica %s", e.key, e.region)
	return cli.Advice{Hints: append(explain(e.err).Hints, again), Exit: cli.ExitPartly}, true
}
