// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/mockkms"
)

func newMockCmd(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "mock",
		Short: "Run a KMS of your own, for labs and tests",
		Long: `A stand-in for AWS KMS that answers as KMS does. keymat --mock uses it inside the
process; keymat mock serve offers the same state to any KMS client over HTTP.

It protects nothing: whoever can reach it or read its state file has the keys.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newMockServeCmd(a), newMockClockCmd(a), newMockEventsCmd(a), newMockResetCmd(a))
	return c
}

type serveOptions struct {
	listen    string
	state     string
	memory    bool
	shared    bool
	singleUse bool
}

// defaultListen is a port that no common development tool uses.
const defaultListen = "127.0.0.1:4599"

func newMockServeCmd(a *app) *cobra.Command {
	var o serveOptions
	c := &cobra.Command{
		Use:   "serve",
		Short: "Offer the mock to any KMS client over HTTP",
		Long: `Serve the mock to the AWS CLI, boto3, Terraform, or any SDK, until interrupted.
The settings that point a client at it are printed. Requests need credentials
to be signed with, but any do: an access key ID of 12 digits is taken as the
account, every other as account 111122223333.`,
		Example: `  keymat mock serve
  keymat mock serve --listen 127.0.0.1:0 --memory`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.mockServe(cmd.Context(), o) },
	}
	c.Flags().StringVar(&o.listen, "listen", defaultListen, "`address` and port to listen on; port 0 takes a free one")
	c.Flags().StringVar(&o.state, "state", "", "`file` that holds the state (default: as for --mock)")
	c.Flags().BoolVar(&o.memory, "memory", false, "keep the state in memory and forget it at the end")
	c.Flags().BoolVar(&o.shared, "shared-wrapping-keys", false, "reuse a few wrapping keys, for load tests; KMS makes a new one for every fetch")
	c.Flags().BoolVar(&o.singleUse, "single-use-tokens", false, "let an import token serve once only; KMS lets it serve for its 24 hours")
	c.MarkFlagsMutuallyExclusive("state", "memory")
	return c
}

func (a *app) mockServe(ctx context.Context, o serveOptions) error {
	kms, where, err := a.servedMock(o)
	if err != nil {
		return err
	}
	a.closers = append(a.closers, kms.Close)
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: kms.Server(), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()

	a.say("this KMS is a mock: it protects nothing, and checks no signatures")
	a.say("state in %s; stop with Ctrl-C", where)
	if err := a.print(serving{URL: "http://" + listener.Addr().String()}); err != nil {
		return err
	}
	a.told = true
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return a.shutDown(server)
	}
}

// shutDown lets requests under way finish. Being told to stop is how serving
// ends; it is no interruption.
func (a *app) shutDown(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return server.Close()
	}
	return err
}

func (a *app) servedMock(o serveOptions) (*mockkms.KMS, string, error) {
	options := []mockkms.Option{mockkms.WithKeysAhead(mockkms.DefaultKeysAhead)}
	if o.shared {
		options = []mockkms.Option{mockkms.WithSharedWrappingKeys()}
	}
	if o.singleUse {
		options = append(options, mockkms.WithSingleUseTokens())
	}
	if a.globals.verbose {
		options = append(options, mockkms.WithLogger(slog.New(slog.NewTextHandler(a.env.Stderr, nil))))
	}
	if o.memory {
		return mockkms.New(options...), "memory", nil
	}
	if o.state != "" {
		a.globals.mockState = o.state
	}
	store, path, err := a.openMock()
	if err != nil {
		return nil, "", err
	}
	return mockkms.New(append(options, mockkms.WithStore(store))...), path, nil
}

// serving is how to reach a mock that is being served.
type serving struct {
	URL string `json:"url"`
}

// anySecretKey is as good as any other. Go signs with no shorter one than ten
// bytes where FIPS 140-3 is enforced.
const anySecretKey = "protects-nothing"

func (s serving) text(w io.Writer) {
	fmt.Fprintf(w, `export AWS_ENDPOINT_URL_KMS=%s
export AWS_ACCESS_KEY_ID=mock AWS_SECRET_ACCESS_KEY=%s AWS_REGION=us-east-1
`, s.URL, anySecretKey)
}

func newMockResetCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "reset",
		Short: "Forget everything the mock knows",
		Long: `Empty the state of the mock: its keys, their material, aliases and tokens. Other
keymat processes that use it go on with an empty KMS. Bytes of old material may
stay in unused parts of the file; remove the file if that matters.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.mockReset(cmd.Context()) },
	}
}

func (a *app) mockReset(ctx context.Context) error {
	path, err := a.mockStatePath()
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return a.print(wasReset{State: path})
	}
	if err := a.confirm(ctx, "Forget every key in "+path); err != nil {
		return err
	}
	if err := mockkms.ResetStore(path); err != nil {
		return err
	}
	return a.print(wasReset{State: path})
}

type wasReset struct {
	State string `json:"state"`
}

func (r wasReset) text(w io.Writer) { fmt.Fprintf(w, "the mock in %s is empty\n", r.State) }
