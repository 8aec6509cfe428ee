package policy

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestBytes(t *testing.T) {
	for text, want := range map[string]Bytes{"0": 0, "1048576": 1 << 20, "64 mb": 64 << 20, "2kb": 2 << 10, "3 GB": 3 << 30, "5b": 5, "1m": 1 << 20} {
		var got Bytes
		if err := yaml.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"-1", "1.5 mb", "mb", "1 tb", "9223372036854775807 kb", "[1]"} {
		var got Bytes
		if yaml.Unmarshal([]byte(text), &got) == nil {
			t.Errorf("%s is taken as %d", text, got)
		}
	}
}

func TestMistakesOfFlow(t *testing.T) {
	for want, change := range map[string]func(*Policy){
		"pendingQueuePolicy":            func(p *Policy) { p.PendingQueuePolicy = PendingQueuePolicy{&Cursor{}, &Cursor{}} },
		"memoryLimit":                   func(p *Policy) { p.MemoryLimit = -1 },
		"cursorMemoryHighWaterMark":     func(p *Policy) { p.CursorMemoryHighWaterMark = -1 },
		"sendFailIfNoSpaceAfterTimeout": func(p *Policy) { after := int64(-1); p.SendFailIfNoSpaceAfterTimeout = &after },
	} {
		p := Default()
		change(&p)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
