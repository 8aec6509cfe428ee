// Package interop runs ActiveMQ's own Java clients of both generations against brokers: the real thing on both sides.
//
// A check is a method of a class java/XxxChecks.java that takes a Scene. Classes are found by their name:
//
//   - Every class runs against this broker, and against a real ActiveMQ Classic, where the same must be true. A check, or a class,
//     of what we do otherwise on purpose is marked @Ours("why"), and not run there.
//   - A class whose broker is to be configured has the lines of broker.yaml beside it, in java/XxxChecks.yaml, and gets a
//     broker of its own; ${java} is the path of that directory. Classic's configuration is derived from destinationPolicies and
//     from keys that end in Plugin. Where that is not enough, java/XxxChecks.xml has what goes into Classic's <broker>.
//   - A class whose name ends in FailoverChecks runs against a pair of brokers, and one check at a time; see Fault.
//
// For a part of them:
//
//	make interop ONLY=TopicChecks                             # or ONLY=TopicChecks.noLocal,ReceiveChecks
//	make interop ONLY=TopicChecks GENERATION=javax            # or jakarta
//	make interop ONLY=TopicChecks BROKER=classic              # or twinmesh, or pair
package interop
