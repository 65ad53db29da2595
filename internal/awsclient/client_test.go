// SPDX-License-Identifier: Apache-2.0

package awsclient_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/internal/awsclient"
	"github.com/keymat/keymat/mockkms"
)

// bareEnvironment takes all AWS settings of the machine away from a test and
// gives it configuration files of its own.
func bareEnvironment(t *testing.T, configFile string) {
	t.Helper()
	for _, setting := range os.Environ() {
		if name, _, _ := strings.Cut(setting, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "config"), []byte(configFile), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(folder, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(folder, "credentials"))
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

// roundTripper makes a transport of a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// keeping returns the transport to a new KMS that keeps the last request in last.
func keeping(t *testing.T, last **http.Request) roundTripper {
	transport := mockkms.Transport(newKMS(t))
	return func(r *http.Request) (*http.Response, error) {
		*last = r
		return transport.RoundTrip(r)
	}
}

func newKMS(t *testing.T) http.Handler {
	service := mockkms.New(mockkms.WithSharedWrappingKeys())
	t.Cleanup(func() { service.Close() })
	return service
}

func TestEmbedded(t *testing.T) {
	tests := []struct {
		name    string
		env     map[string]string
		options awsclient.Options
		want    string // scope of the signature, without its date
	}{
		{"nothing set", nil, awsclient.Options{}, "111122223333/*/us-east-1/kms"},
		{"AWS_DEFAULT_REGION", map[string]string{"AWS_DEFAULT_REGION": "eu-north-1"}, awsclient.Options{}, "111122223333/*/eu-north-1/kms"},
		{"AWS_REGION", map[string]string{"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-north-1"}, awsclient.Options{}, "111122223333/*/eu-west-1/kms"},
		{"options", map[string]string{"AWS_REGION": "eu-west-1"}, awsclient.Options{Region: "eu-central-1", Account: "444455556666"}, "444455556666/*/eu-central-1/kms"},
		{"broken settings and real keys", map[string]string{"AWS_MAX_ATTEMPTS": "many", "AWS_CA_BUNDLE": "/nowhere", "AWS_PROFILE": "gone", "AWS_ACCESS_KEY_ID": "AKIAREAL", "AWS_SECRET_ACCESS_KEY": "real"}, awsclient.Options{}, "111122223333/*/us-east-1/kms"},
		{"an endpoint for the real KMS", map[string]string{"AWS_ENDPOINT_URL_KMS": "http://127.0.0.1:1"}, awsclient.Options{}, "111122223333/*/us-east-1/kms"},
	}
	scope := regexp.MustCompile(`^.*Credential=(\d+)/\d{8}/([^/]+/kms)/.*$`)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bareEnvironment(t, "")
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			var last *http.Request
			test.options.Transport = keeping(t, &last)
			client, err := awsclient.New(t.Context(), test.options)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.ListKeys(t.Context(), &kms.ListKeysInput{}); err != nil {
				t.Fatal(err)
			}
			got := scope.ReplaceAllString(last.Header.Get("Authorization"), "$1/*/$2")
			if got != test.want {
				t.Errorf("signed for %q, want %s", got, test.want)
			}
			if got := last.UserAgent(); !strings.Contains(got, "app/keymat") {
				t.Errorf("user agent %q", got)
			}
		})
	}
}

func TestChain(t *testing.T) {
	const configFile = `
[default]
region = eu-west-1
[profile careful]
region = eu-north-1
retry_mode = standard
sdk_ua_app_id = theirs
`
	tests := []struct {
		name    string
		env     map[string]string
		options awsclient.Options
		region  string
		retry   aws.RetryMode
		app     string
	}{
		{"file", nil, awsclient.Options{}, "eu-west-1", aws.RetryModeAdaptive, "keymat"},
		{"environment", map[string]string{"AWS_REGION": "us-west-2"}, awsclient.Options{}, "us-west-2", aws.RetryModeAdaptive, "keymat"},
		{"options", map[string]string{"AWS_REGION": "us-west-2"}, awsclient.Options{Region: "eu-central-1"}, "eu-central-1", aws.RetryModeAdaptive, "keymat"},
		{"profile", nil, awsclient.Options{Profile: "careful"}, "eu-north-1", aws.RetryModeStandard, "theirs"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bareEnvironment(t, configFile)
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			client, err := awsclient.New(t.Context(), test.options)
			if err != nil {
				t.Fatal(err)
			}
			got := client.Options()
			if got.Region != test.region || got.RetryMode != test.retry || got.AppID != test.app {
				t.Errorf("got %s %s %s, want %s %s %s", got.Region, got.RetryMode, got.AppID, test.region, test.retry, test.app)
			}
		})
	}
}

func TestEndpoint(t *testing.T) {
	server := httptest.NewServer(newKMS(t))
	defer server.Close()
	for _, test := range []struct {
		name, url, env string
	}{
		{"option", server.URL, "http://127.0.0.1:1"}, // the option wins
		{"environment", "", server.URL},
	} {
		t.Run(test.name, func(t *testing.T) {
			bareEnvironment(t, "")
			t.Setenv("AWS_ENDPOINT_URL_KMS", test.env)
			t.Setenv("AWS_ACCESS_KEY_ID", "111122223333")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "top-secret-access-key")
			t.Setenv("AWS_SESSION_TOKEN", "toptoken")
			var debug strings.Builder
			client, err := awsclient.New(t.Context(), awsclient.Options{Region: "eu-west-1", EndpointURL: test.url, Debug: &debug})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.ListKeys(t.Context(), &kms.ListKeysInput{}); err != nil {
				t.Fatal(err)
			}
			want := regexp.MustCompile(`^TrentService\.ListKeys ` + strings.TrimPrefix(server.URL, "http://") + `: 200 \(\d+m?s, request ID [0-9a-f-]{36}\)\n$`)
			if got := debug.String(); !want.MatchString(got) {
				t.Errorf("trace %q, want %s", got, want)
			}
		})
	}
}

func TestTraceFailure(t *testing.T) {
	bareEnvironment(t, "")
	var debug strings.Builder
	client, err := awsclient.New(t.Context(), awsclient.Options{
		Transport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("unplugged") }),
		Debug:     &debug,
	})
	if err != nil {
		t.Fatal(err)
	}
	once := func(o *kms.Options) { o.RetryMaxAttempts = 1 }
	if _, err := client.ListKeys(t.Context(), &kms.ListKeysInput{}, once); err == nil {
		t.Fatal("no error")
	}
	if got, want := debug.String(), "TrentService.ListKeys kms.us-east-1.amazonaws.com: "; !strings.HasPrefix(got, want) || !strings.Contains(got, "unplugged") {
		t.Errorf("trace %q, want %s… unplugged", got, want)
	}
}

func TestNoRegion(t *testing.T) {
	for profile, want := range map[string]string{
		"":      "no AWS Region is configured",
		"empty": "no AWS Region is configured in profile empty or elsewhere",
	} {
		bareEnvironment(t, "[profile empty]\noutput = json\n")
		_, err := awsclient.New(t.Context(), awsclient.Options{Profile: profile, EndpointURL: "http://127.0.0.1:1"})
		e, ok := errors.AsType[*awsclient.NoRegionError](err)
		if !ok || e.Profile != profile || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestCloudTrail: the settings are those of KMS, but its endpoint is its own.
func TestCloudTrail(t *testing.T) {
	bareEnvironment(t, "[profile audit]\nregion = eu-west-3\n")
	client, err := awsclient.NewCloudTrail(t.Context(), awsclient.Options{Profile: "audit", EndpointURL: "http://127.0.0.1:1", Transport: http.DefaultTransport})
	if err != nil {
		t.Fatal(err)
	}
	o := client.Options()
	if o.Region != "eu-west-3" || o.BaseEndpoint != nil || o.RetryMode != aws.RetryModeAdaptive || o.AppID != "keymat" {
		t.Errorf("Region %s, endpoint %v, retries %s, application %s", o.Region, o.BaseEndpoint, o.RetryMode, o.AppID)
	}
	_, err = awsclient.NewCloudTrail(t.Context(), awsclient.Options{})
	if _, ok := errors.AsType[*awsclient.NoRegionError](err); !ok {
		t.Errorf("error %v", err)
	}
}

func TestCaller(t *testing.T) {
	const arn = "arn:aws:sts::111122223333:assumed-role/fetcher/alice"
	var asked string
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.PostFormValue("Action")
		fmt.Fprintf(w, "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>%s</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>", arn)
	}))
	defer service.Close()
	bareEnvironment(t, "")
	t.Setenv("AWS_ENDPOINT_URL_STS", service.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret-of-one")
	got, err := awsclient.Caller(t.Context(), awsclient.Options{Region: "eu-west-3", EndpointURL: "http://127.0.0.1:1", Transport: http.DefaultTransport})
	if got != arn || err != nil || asked != "GetCallerIdentity" {
		t.Errorf("%s called by %s, error %v", asked, got, err)
	}
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	service.Close()
	if _, err := awsclient.Caller(t.Context(), awsclient.Options{Region: "eu-west-3"}); err == nil || !strings.HasPrefix(err.Error(), "asking STS who calls: ") {
		t.Errorf("error %v", err)
	}
}

func TestBrokenConfiguration(t *testing.T) {
	bareEnvironment(t, "")
	_, err := awsclient.New(t.Context(), awsclient.Options{Profile: "gone"})
	if err == nil || !strings.HasPrefix(err.Error(), "loading the AWS configuration: ") {
		t.Errorf("got %v", err)
	}
}

// With a role, calls are signed with what STS gives for it; STS is asked with
// the credentials found, and not before the first call.
func TestRole(t *testing.T) {
	const role = "arn:aws:iam::222233334444:role/keymat"
	var asked []string
	sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.FormValue("Action")+" "+r.FormValue("RoleArn")+" "+r.FormValue("RoleSessionName"))
		fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASSUMED</AccessKeyId>`+
			`<SecretAccessKey>secret-of-the-role</SecretAccessKey><SessionToken>token</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`)
	}))
	defer sts.Close()
	var signed string
	kmsServer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed = r.Header.Get("Authorization")
		fmt.Fprint(w, `{}`)
	}))
	defer kmsServer.Close()
	bareEnvironment(t, "")
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "CALLER", "AWS_SECRET_ACCESS_KEY": "secret-of-caller", "AWS_ENDPOINT_URL_STS": sts.URL} {
		t.Setenv(name, value)
	}
	client, err := awsclient.New(t.Context(), awsclient.Options{Region: "eu-central-1", Role: role, EndpointURL: kmsServer.URL})
	if err != nil {
		t.Fatal(err)
	}
	if len(asked) > 0 {
		t.Errorf("STS was asked before there was need: %q", asked)
	}
	for range 2 {
		if _, err := client.ListKeys(t.Context(), &kms.ListKeysInput{}); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"AssumeRole " + role + " keymat"}; !slices.Equal(asked, want) {
		t.Errorf("STS was asked %q, want %q", asked, want)
	}
	if !strings.Contains(signed, "Credential=ASSUMED/") {
		t.Errorf("signed with %q", signed)
	}
}
