package interop

import "testing"

// TestSpring has a program with Spring's JmsTemplate and DefaultMessageListenerContainer over a pool of connections go on while the
// active broker is killed: nothing is lost.
func TestSpring(t *testing.T) {
	program := build(t)
	for _, generation := range []string{"javax", "jakarta"} {
		t.Run(generation, func(t *testing.T) {
			t.Parallel()
			const count = 600
			classes := compileAll(t, "spring-"+generation, "java/spring/*.java")
			p := startPair(t, program, "--auth=off")
			spring := startJava(t, classes, "", "Spring", p.candidURL(), "600")
			lines := spring.await(t, count/3)
			p.kill(t, func() {})
			checkDeliveries(t, append(lines, spring.rest(t)...), 1, count)
		})
	}
}
