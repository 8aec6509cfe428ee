package publish

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// requestTime bounds one request, so that a connection to an API server that is gone does not hold up the next try.
	requestTime = 2 * time.Second
	// answerLimit is far above an EndpointSlice with one endpoint.
	answerLimit = 1 << 20

	credentialsDir = "/var/run/secrets/kubernetes.io/serviceaccount"
)

// errConflict: the slice was written by somebody else since it was read.
var errConflict = errors.New("the EndpointSlice changes again and again")

// API is where the API server is and how to be believed there.
type API struct {
	// URL of the server, without a path.
	URL string
	// CAFile and TokenFile are read anew for each request: both are renewed while the broker runs.
	CAFile, TokenFile string
}

// InCluster finds the API server the way every pod does. env is os.Getenv.
func InCluster(env func(string) string) (API, error) {
	host, port := env("KUBERNETES_SERVICE_HOST"), env("KUBERNETES_SERVICE_PORT")
	if host == "" || port == "" {
		return API{}, errors.New("publishing works in a pod only: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set")
	}
	return API{
		URL:       "https://" + net.JoinHostPort(host, port),
		CAFile:    filepath.Join(credentialsDir, "ca.crt"),
		TokenFile: filepath.Join(credentialsDir, "token"),
	}, nil
}

type apiClient struct {
	api  API
	base *url.URL
}

func newAPIClient(api API) (*apiClient, error) {
	base, err := url.Parse(api.URL)
	if err != nil {
		return nil, fmt.Errorf("the API server's URL: %w", err)
	}
	return &apiClient{api: api, base: base}, nil
}

func (c *apiClient) get(ctx context.Context, namespace, name string) (slice, error) {
	return c.do(ctx, http.MethodGet, namespace, name, nil)
}

// put replaces a slice; errConflict if it is not as it was read.
func (c *apiClient) put(ctx context.Context, namespace, name string, s slice) error {
	body, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encoding EndpointSlice %s: %w", name, err)
	}
	_, err = c.do(ctx, http.MethodPut, namespace, name, body)
	return err
}

func (c *apiClient) do(ctx context.Context, method, namespace, name string, body []byte) (slice, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	address := c.base.JoinPath("apis/discovery.k8s.io/v1/namespaces", namespace, "endpointslices", name)
	request, err := http.NewRequestWithContext(ctx, method, address.String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("asking the API server: %w", err)
	}
	token, err := os.ReadFile(c.api.TokenFile)
	if err != nil {
		return nil, fmt.Errorf("reading the pod's token: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	transport, err := c.transport()
	if err != nil {
		return nil, err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, fmt.Errorf("asking the API server: %w", err)
	}
	return decode(response)
}

// transport makes a connection for one request. Requests are rare, and a kept connection may be one to a server that is
// gone.
func (c *apiClient) transport() (*http.Transport, error) {
	ca, err := os.ReadFile(c.api.CAFile)
	if err != nil {
		return nil, fmt.Errorf("reading the API server's certificate authority: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("%s holds no certificate", c.api.CAFile)
	}
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}, nil
}

func decode(response *http.Response) (slice, error) {
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, answerLimit))
	if err != nil {
		return nil, fmt.Errorf("reading the API server's answer: %w", err)
	}
	if response.StatusCode == http.StatusConflict {
		return nil, errConflict
	}
	if response.StatusCode != http.StatusOK {
		return nil, refusal(response.Status, text)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // numbers go back as they came
	var s slice
	if err := decoder.Decode(&s); err != nil {
		return nil, fmt.Errorf("decoding the API server's answer: %w", err)
	}
	return s, nil
}

// refusal takes the reason out of the API server's Status object.
func refusal(status string, text []byte) error {
	var answer struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(text, &answer) != nil || answer.Message == "" {
		return fmt.Errorf("the API server refuses: %s", status)
	}
	return fmt.Errorf("the API server refuses (%s): %s", status, answer.Message)
}
