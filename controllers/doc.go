// Package controllers turns a BrokerCluster into the objects that run it, and keeps them so.
//
// One pass reads what is there (observe.go), applies what should be there (one file for each kind of object), takes at
// most one step of what must not happen all at once (rollout.go, nodeloss.go), and writes the status once (status.go).
// Events follow only a status that was written. Between passes nothing is remembered but what saves requests: every
// decision is made from objects, so that a restarted operator goes on where the last one stopped.
//
// The package promises:
//   - At rest it writes nothing and sends no write.
//   - A broker restarts only for a change of the spec, an approval, or a lost node; never for an operator's upgrade.
//   - It never decides who is active. Brokers publish that themselves (EndpointSlices); the operator only removes the
//     address of a pod that no longer exists.
//   - It never takes over an object of somebody else's, and never deletes a claim.
//
// It does not speak to brokers.
package controllers
