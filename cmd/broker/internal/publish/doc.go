// Package publish tells Kubernetes which broker of a pair is active, by writing the pod's address and the broker's term
// into EndpointSlices.
//
// It decides nothing: the term was won in the store before Run is called. A slice that shows a higher term proves that
// this broker's time is over, which Run reports as ErrSuperseded, and the caller has to stop serving. Whatever the API
// server does or does not do, the store alone protects the messages; what is published only leads clients.
//
// The API server is spoken to over net/http, with the pod's own token, for two requests: get and update of a slice by
// name. client-go would be most of the broker's size.
package publish
