// Package openwire is the codec of OpenWire, the protocol of ActiveMQ's clients and brokers: versions 1 to 12, loose and tight
// encoding, with and without the marshal cache. It turns frames into structures and back, and knows how the two ends of
// a connection agree on a Format. It is pure: no socket, no goroutine, no clock, no broker; what to answer to which
// command is not its business.
//
// structures.txt describes all structures; go generate makes their types and codec of it. One method of a structure
// encodes it and one decodes it: loose or tight, cached or not is decided in the primitives (encoder, decoder).
//
// # Values
//
// Everything nullable keeps null and empty apart, as the wire does: strings are Text, byte arrays and arrays are nil or
// not, structures are pointers or interfaces. A field that the connection's version lacks is not written, and read as
// its zero value.
//
// # A message on its way through a broker
//
// Loose and uncached, the bytes of a message are the same on every connection from version 10 on. A session therefore
// asks Format.SharedMessages, and if so takes a frame that IsMessage as it is, without decoding it. From any
// other connection, Decode and AppendLoose bring a message into that form.
//
// # Bad input
//
// No input makes the codec panic, and no length in it is taken on trust: a frame's is compared with the limit, all
// others with what is left of the frame, before memory is allocated. What is wrong is told by the errors of this package
// and of package wire.
package openwire

//go:generate go run ./internal/gen
