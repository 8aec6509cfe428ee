package message

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/twinmesh/twinmesh/broker/destination"
)

// golden calls f with each message of version 12 in loose, uncached encoding that the Java client wrote, and its fields.
func golden(t *testing.T, name string, f func(frame []byte, fields map[string]any)) {
	t.Helper()
	file, err := os.Open("../openwire/testdata/golden/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(unpacked)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		columns := strings.Split(lines.Text(), "\t")
		if columns[0] != "12" || columns[1] != "0" || columns[2] != "0" {
			continue
		}
		frame, err := hex.DecodeString(columns[5])
		if err != nil {
			t.Fatal(err)
		}
		if frame = frame[4:]; frame[0] < Plain || frame[0] > Blob {
			continue
		}
		var fields map[string]any
		if err := json.Unmarshal([]byte(columns[6]), &fields); err != nil {
			t.Fatal(err)
		}
		f(frame, fields)
	}
}

func TestFieldsAreThoseOfTheJavaClient(t *testing.T) {
	seen := 0
	golden(t, "frames.txt.gz", func(frame []byte, fields map[string]any) {
		m, err := Parse(frame)
		if fields["destination"] == nil {
			if err == nil {
				t.Error("a message without a destination was taken")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		seen++
		want := fields["destination"].(map[string]any)["physicalName"]
		if got := m.Destination().Name; got != want {
			t.Errorf("destination %q, want %q", got, want)
		}
		if m.Persistent() != fields["persistent"] || float64(m.Expiration()) != fields["expiration"] || m.CorrelationID() != fields["correlationId"] {
			t.Errorf("got %t, %d, %q, want %v", m.Persistent(), m.Expiration(), m.CorrelationID(), fields)
		}
		if got := hex.EncodeToString(m.Content()); got != fields["content"] {
			t.Errorf("content %s, want %v", got, fields["content"])
		}
	})
	if seen == 0 {
		t.Error("no golden message was found")
	}
}

func TestACopyDiffersInWhatIsSet(t *testing.T) {
	golden(t, "frames.txt.gz", func(frame []byte, fields map[string]any) {
		m, err := Parse(frame)
		if err != nil {
			return
		}
		if !bytes.Equal(m.With().Bytes(), m.Bytes()) {
			t.Error("a copy with nothing set differs")
		}
		letters := destination.Destination{Kind: destination.Queue, Name: "letters"}
		c, err := Parse(m.With(SetDestination(letters), SetExpiration(7), SetPersistent(true), NoTransaction()).Bytes())
		if err != nil {
			t.Fatal(err)
		}
		c.SetBrokerSequence(9)
		if c.Destination() != letters || c.Expiration() != 7 || !c.Persistent() || c.Transacted() || c.BrokerSequence() != 9 || c.ID() != m.ID() {
			t.Errorf("got %v of %v", c, m)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(New(Text, SetDestination(destination.Destination{Kind: destination.Topic, Name: "t"}), SetID("c", 1, 2, 3)).Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(bytes.Clone(b))
		if err != nil {
			return
		}
		if again := m.With().Bytes(); !bytes.Equal(again, b) {
			t.Errorf("% x came back as % x", b, again)
		}
		_, _, _, _ = m.ID(), m.Destination(), m.RawProducer(), m.UserID()
	})
}
