package core

import "time"

// gatherMillis is how long a queue waits for its consumers to gather if its policy says only how many.
const gatherMillis = 1000

// gather has the queue wait, when its first consumer comes, for others or for a time, if its policy says so: message groups are then
// shared among all of them.
func (q *queue) gather() {
	p := q.policy.Load()
	if len(q.seats) != 1 {
		return
	}
	wait := p.TimeBeforeDispatchStarts
	if p.ConsumersBeforeDispatchStarts > 0 && wait == 0 {
		wait = gatherMillis
	}
	if wait > 0 {
		q.gathering = q.broker.millis() + wait
	}
}

// gathers tells for how long the queue still waits for consumers.
func (q *queue) gathers() time.Duration {
	if q.gathering == 0 {
		return 0
	}
	enough := q.policy.Load().ConsumersBeforeDispatchStarts
	left := q.gathering - q.broker.millis()
	if left <= 0 || enough > 0 && len(q.seats) >= enough {
		q.gathering = 0
		return 0
	}
	return time.Duration(left) * time.Millisecond
}

// Held is how long queues of the consumer still wait for others before they dispatch anything. Who has subscribed calls Resume when
// that is over.
func (c *Consumer) Held() (longest time.Duration) {
	for _, s := range c.seats() {
		s.queue.mu.Lock()
		longest = max(longest, s.queue.gathers())
		s.queue.mu.Unlock()
	}
	return longest
}

// Resume has the consumer's queues dispatch what waited for others to come.
func (c *Consumer) Resume() {
	for _, s := range c.seats() {
		s.refill()
	}
}
