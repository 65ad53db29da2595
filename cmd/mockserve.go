// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/mockkms"
)

type serveOptions struct {
	listen    string
	state     string
	memory    bool
	shared    bool
	singleUse bool

	latency  time.Duration
	lag      time.Duration
	quotas   bool
	rotation time.Duration
	events   int
	flaws    []string

	tlsCert     string
	tlsKey      string
	credentials string
	principals  string
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
account, every other as account 111122223333. With --credentials signatures are
checked.

With --principals policies are enforced: the file names users and roles, their
access keys and their policies, and KMS's answer to all others is a denial. A
key's policy and its grants have their say as in KMS. The secrets in that file
are for tests: never put real ones there.

GET /healthz answers with status 200 while the mock works. --verbose logs every
request. What else can be asked of it, see keymat mock clock, events, fault and
conditions, which it obeys from its own machine only.`,
		Example: `  keymat mock serve
  keymat mock serve --listen 127.0.0.1:0 --memory
  keymat mock serve --quotas --lag 2s --latency 20ms --rotation-time 2m
  keymat mock serve --memory --principals principals.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.mockServe(cmd.Context(), o) },
	}
	c.Flags().StringVar(&o.listen, "listen", defaultListen, "`address` and port to listen on; port 0 takes a free one")
	c.Flags().StringVar(&o.state, "state", "", "`file` that holds the state (default: as for --mock)")
	c.Flags().BoolVar(&o.memory, "memory", false, "keep the state in memory and forget it at the end")
	c.Flags().BoolVar(&o.shared, "shared-wrapping-keys", false, "reuse a few wrapping keys, for load tests; KMS makes a new one for every fetch")
	c.Flags().BoolVar(&o.singleUse, "single-use-tokens", false, "let an import token serve once only; KMS lets it serve for its 24 hours")
	c.Flags().DurationVar(&o.latency, "latency", 0, "add this `time` to every call")
	c.Flags().DurationVar(&o.lag, "lag", 0, "let changes show after this `time`, for KMS is eventually consistent")
	c.Flags().BoolVar(&o.quotas, "quotas", false, "throttle at the request quotas of KMS")
	c.Flags().DurationVar(&o.rotation, "rotation-time", mockkms.DefaultRotationTime, "`time` that an on-demand rotation takes; KMS was seen to take 48s to 8m")
	c.Flags().IntVar(&o.events, "events", mockkms.DefaultTrail, "keep the last `n` events; 0 keeps none")
	c.Flags().StringArrayVar(&o.flaws, "flaw", nil, "break one of KMS's rules, by `name`, so that keymat verify finds it; may be repeated")
	complete(c, "flaw", mockkms.Flaws())
	c.Flags().StringVar(&o.tlsCert, "tls-cert", "", "serve over TLS with the certificate in this PEM `file`")
	c.Flags().StringVar(&o.tlsKey, "tls-key", "", "`file` that holds the certificate's private key, as PEM")
	c.Flags().StringVar(&o.credentials, "credentials", "", "answer only requests signed with an access key in this `file`, which is written like ~/.aws/credentials")
	c.Flags().StringVar(&o.principals, "principals", "", "enforce policies: answer only the users and roles in this JSON `file`, as far as policies and grants allow")
	c.MarkFlagsMutuallyExclusive("state", "memory")
	c.MarkFlagsRequiredTogether("tls-cert", "tls-key")
	return c
}

func (a *app) mockServe(ctx context.Context, o serveOptions) error {
	kms, where, err := a.servedMock(o)
	if err != nil {
		return err
	}
	a.AtEnd(kms.Close)
	listener, url, err := o.open()
	if err != nil {
		return err
	}
	handler := &restful{Handler: kms.Server(), ballast: make([]byte, ballastSize)}
	go handler.rest(ctx)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()

	a.say("this KMS is a mock: it protects nothing%s", o.unchecked())
	for _, flaw := range kms.Conditions().Flaws {
		a.say("as told, it breaks a rule of KMS: %s", flaw)
	}
	a.say("state in %s; stop with Ctrl-C", where)
	if err := a.print(serving{URL: url, principals: o.principals != ""}); err != nil {
		return err
	}
	a.Told()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return a.shutDown(server)
	}
}

// unchecked is what the banner says that the mock does not look at. Principals
// are only who they say unless they have secrets.
func (o serveOptions) unchecked() string {
	switch {
	case o.credentials != "":
		return ""
	case o.principals != "":
		return ", and checks signatures only of principals with a secret"
	}
	return ", and checks no signatures"
}

// open listens as told, and gives the URL under which the mock will answer.
func (o serveOptions) open() (net.Listener, string, error) {
	if o.tlsCert == "" {
		listener, err := net.Listen("tcp", o.listen)
		if err != nil {
			return nil, "", err
		}
		return listener, "http://" + listener.Addr().String(), nil
	}
	pair, err := tls.LoadX509KeyPair(o.tlsCert, o.tlsKey)
	if err != nil {
		return nil, "", fmt.Errorf("reading the certificate and its key: %w", err)
	}
	listener, err := tls.Listen("tcp", o.listen, &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		return nil, "", err
	}
	return listener, "https://" + listener.Addr().String(), nil
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
	options, err := o.mockOptions()
	if err != nil {
		return nil, "", err
	}
	if a.globals.verbose {
		options = append(options, mockkms.WithLogger(slog.New(slog.NewTextHandler(a.Stderr, nil))))
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

// mockOptions makes the mock what the flags ask for.
func (o serveOptions) mockOptions() ([]mockkms.Option, error) {
	options := []mockkms.Option{
		mockkms.WithLatency(o.latency), mockkms.WithLag(o.lag), mockkms.WithRotationTime(o.rotation), mockkms.WithTrail(o.events),
	}
	if o.shared {
		options = append(options, mockkms.WithSharedWrappingKeys())
	} else {
		options = append(options, mockkms.WithKeysAhead(mockkms.DefaultKeysAhead))
	}
	if o.singleUse {
		options = append(options, mockkms.WithSingleUseTokens())
	}
	if o.quotas {
		options = append(options, mockkms.WithQuotas(nil))
	}
	for _, name := range o.flaws {
		var flaw mockkms.Flaw
		if err := flaw.UnmarshalText([]byte(name)); err != nil {
			return nil, usagef("--flaw: %v", err)
		}
		options = append(options, mockkms.WithFlaws(flaw))
	}
	if o.credentials != "" {
		known, err := readCredentials(o.credentials)
		if err != nil {
			return nil, err
		}
		options = append(options, mockkms.WithCredentials(known...))
	}
	if o.principals != "" {
		principals, err := readPrincipals(o.principals)
		if err != nil {
			return nil, err
		}
		options = append(options, mockkms.WithPrincipals(principals))
	}
	return options, nil
}

// serving is how to reach a mock that is being served.
type serving struct {
	URL string `json:"url"`

	principals bool // one of whose access keys is needed
}

// anySecretKey is as good as any other. Go signs with no shorter one than ten
// bytes where FIPS 140-3 is enforced.
const anySecretKey = "protects-nothing"

// text names the Region twice, for botocore (boto3, version 1 of the AWS CLI)
// reads AWS_DEFAULT_REGION alone.
func (s serving) text(w io.Writer) {
	id := "AWS_ACCESS_KEY_ID=mock "
	if s.principals {
		id = ""
	}
	fmt.Fprintf(w, `export AWS_ENDPOINT_URL_KMS=%s
export %sAWS_SECRET_ACCESS_KEY=%s
export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
`, s.URL, id, anySecretKey)
}
