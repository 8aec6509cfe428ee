package publish

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"time"
)

// ErrSuperseded: a slice shows a higher term than ours. Another broker is active.
var ErrSuperseded = errors.New("a broker with a higher term is published")

const (
	termAnnotation = "messaging.twinmesh.io/term"

	// Pauses between tries while the API server does not answer, doubled each time. The longest is short, since Services
	// should be right soon after it is back; a pair sends two small requests in that time.
	firstPause   = 100 * time.Millisecond
	longestPause = 2 * time.Second

	// conflictTries is how often a slice is read again at once, because somebody wrote it in between; after that, later.
	conflictTries = 5

	// clearTime bounds Clear: a broker that hands over must not wait for the API server.
	clearTime = time.Second
)

// Config says who publishes, and where.
type Config struct {
	API       API
	Namespace string
	// Slices are the names of the EndpointSlices to write.
	Slices []string
	// Pod is what is published.
	Pod Pod
	Log *slog.Logger
}

// Pod is this broker's pod.
type Pod struct{ Name, UID, IP, Node string }

// Publisher writes one pod into EndpointSlices. It starts no goroutine; its methods may be called one at a time.
type Publisher struct {
	config Config
	api    *apiClient
}

// New checks the configuration. It does not speak to the API server.
func New(config Config) (*Publisher, error) {
	for what, value := range map[string]string{
		"namespace": config.Namespace, "pod's name": config.Pod.Name, "pod's UID": config.Pod.UID, "pod's IP": config.Pod.IP,
	} {
		if value == "" {
			return nil, fmt.Errorf("publishing needs the %s", what)
		}
	}
	api, err := newAPIClient(config.API)
	if err != nil {
		return nil, err
	}
	return &Publisher{config: config, api: api}, nil
}

// Run publishes this pod with term in every slice and returns nil when all show it. It goes on trying while the API
// server does not answer or refuses, until ctx ends, whose error it then returns. A higher term ends it at once with
// ErrSuperseded.
func (p *Publisher) Run(ctx context.Context, term uint64) error {
	for _, name := range p.config.Slices {
		if err := p.publishOne(ctx, name, term); err != nil {
			return fmt.Errorf("publishing term %d in EndpointSlice %s: %w", term, name, err)
		}
		p.config.Log.Info("published as the active broker", "slice", name, "term", term)
	}
	return nil
}

func (p *Publisher) publishOne(ctx context.Context, name string, term uint64) error {
	var last string
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := p.replace(ctx, name, func(s slice) (bool, error) { return s.publish(p.config.Pod, term) })
		if err == nil || errors.Is(err, ErrSuperseded) {
			return err
		}
		if err.Error() != last { // a long outage is one line
			last = err.Error()
			p.config.Log.Warn("cannot publish yet; Services lead where they led before", "slice", name, "term", term, "error", err)
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// Clear removes this pod from every slice that still shows it with this term, so that Services lead nowhere rather than
// to a broker that hands over. It takes a second at most, and leaves the slices as they are if that is not enough: the
// next active broker overwrites them.
func (p *Publisher) Clear(ctx context.Context, term uint64) error {
	ctx, cancel := context.WithTimeout(ctx, clearTime)
	defer cancel()
	var errs []error
	for _, name := range p.config.Slices {
		if err := p.replace(ctx, name, func(s slice) (bool, error) { return s.clear(p.config.Pod, term), nil }); err != nil {
			errs = append(errs, fmt.Errorf("clearing EndpointSlice %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// replace reads a slice, lets change change it, and writes it with the resourceVersion that was read; when somebody
// else wrote in between it begins again, up to a number of times. change returns false if there is nothing to write.
func (p *Publisher) replace(ctx context.Context, name string, change func(slice) (bool, error)) error {
	for range conflictTries {
		s, err := p.api.get(ctx, p.config.Namespace, name)
		if err != nil {
			return err
		}
		changed, err := change(s)
		if err != nil || !changed {
			return err
		}
		if err := p.api.put(ctx, p.config.Namespace, name, s); !errors.Is(err, errConflict) {
			return err
		}
	}
	return errConflict
}

// sleep waits for about d, or until ctx ends. The jitter keeps the brokers of a cluster from asking all at once.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d/2 + rand.N(d/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func formatTerm(term uint64) string { return strconv.FormatUint(term, 10) }
