package openwire_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/twinmesh/twinmesh/broker/openwire"
	session "github.com/twinmesh/twinmesh/broker/session/openwire"
)

// A client that fails over says all it has without waiting. What the broker leaves unread of that must not reset the
// connection, or the reason of a refusal would be lost.
func TestARefusalReachesAClientThatGoesOnTalking(t *testing.T) {
	w := newWorld(t, memoryLimit)
	w.options.Authenticator = refusing{}
	ours, theirs := connect(t)
	w.serving.Go(func() { session.Serve(w.ctx, theirs, w.options) })

	talk, err := openwire.NewEncoder(openwire.Handshake()).AppendFrame(nil, openwire.BrokerOffer().Info())
	if err != nil {
		t.Fatal(err)
	}
	format, err := openwire.Negotiate(openwire.BrokerOffer(), openwire.BrokerOffer())
	if err != nil {
		t.Fatal(err)
	}
	e := openwire.NewEncoder(format)
	info := &openwire.ConnectionInfo{ConnectionID: &openwire.ConnectionID{Value: openwire.S("ID:a")}}
	info.ResponseRequired = true
	said := []openwire.DataStructure{info}
	for range 200_000 { // more than the buffers of sockets hold
		said = append(said, &openwire.SessionInfo{SessionID: &openwire.SessionID{ConnectionID: openwire.S("ID:a")}})
	}
	for _, v := range said {
		if talk, err = e.AppendFrame(talk, v); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ours.Write(talk); err != nil {
		t.Fatal(err)
	}

	heard, err := io.ReadAll(ours)
	if err != nil {
		t.Fatalf("the connection ended with %v", err)
	}
	var last openwire.DataStructure
	d := openwire.NewDecoder(openwire.Handshake())
	for len(heard) > 0 {
		size := 4 + int(heard[2])<<8 + int(heard[3])
		if last, err = d.Decode(heard[4:size]); err != nil {
			t.Fatal(err)
		}
		heard, d = heard[size:], openwire.NewDecoder(format)
	}
	wantException(t, last, openwire.SecurityException, "user name or password is wrong")
}

// connect returns the two ends of a TCP connection.
func connect(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	if ours, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ours.Close() })
	if err := ours.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if theirs, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	return ours, theirs
}
