package core

import (
	"cmp"
	"slices"
	"sync"

	"github.com/twinmesh/twinmesh/broker/destination"
	"github.com/twinmesh/twinmesh/broker/message"
)

// browseBytes is how much may be on its way to a browser before more is read for it.
const browseBytes = 1 << 20

// browser is the source of a consumer that looks at queues and takes nothing. It sees what was there when it came, also what others
// have in flight, but not what is gone or has expired by the time that it is its turn; then it is told that this is the end. It
// reads what is stored from the store, page by page, and holds up nobody. Its lock comes before its queues'.
type browser struct {
	consumer *Consumer

	mu       sync.Mutex
	views    []*view // what it is not through with
	left     int     // how many it may still see; negative for any number
	sent     int     // and not acknowledged
	expanded int     // of these, those that reached the program
	leaving  int     // bytes on their way
	pulls    pulls
	looked   bool // at what there is
	ended    bool
	closed   bool
}

// view is what a browser sees of a queue.
type view struct {
	queue   *queue
	loose   []*node            // those not stored, in order
	paged   []*message.Message // those stored, in order, as far as they are read
	after   uint64             // sequence of the last one read
	end     uint64             // what has a higher one came later
	suspect uint64             // another holder of the store may have delivered those below
	counts  map[uint64]int     // how often those in memory were delivered before
}

// browse begins to show the consumer what there is.
func (b *Broker) browse(c *Consumer, names, patterns []destination.Destination) error {
	queues, err := b.namedQueues(c, names)
	if err != nil {
		return err
	}
	w := &browser{consumer: c, left: -1}
	if most := b.policy(c.spec.Destination.Members()[0]).MaxBrowsePageSize; most > 0 {
		w.left = most
	}
	c.source = w
	queues = union(queues, b.covered(c, patterns))
	return b.store.Barrier(func() { w.look(queues) })
}

// look notes what there is to see. It is called once all is durable that was sent before the browser came, so that it sees also what
// its own program has sent and did not wait for.
func (w *browser) look(queues []*queue) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	for _, q := range queues {
		w.views = append(w.views, q.view())
	}
	w.looked = true
	w.dispatch()
}

// covered returns the queues there are that patterns cover and the consumer may have part in.
func (b *Broker) covered(c *Consumer, patterns []destination.Destination) (queues []*queue) {
	f := follower{c, patterns}
	for _, q := range b.allQueues() {
		if f.covers(q.name) && f.may(q.owner) {
			queues = append(queues, q)
		}
	}
	return queues
}

// view notes what is in the queue now.
func (q *queue) view() *view {
	q.mu.Lock()
	defer q.mu.Unlock()
	v := &view{queue: q, end: q.broker.store.NextSequence(), suspect: q.suspect, counts: map[uint64]int{}}
	for n := q.window.first(); n != nil; n = q.window.after(n.order) {
		v.note(n)
	}
	for _, s := range q.seats {
		s.consumer.mu.Lock()
		for n := s.consumer.flight.first; n != nil; n = n.next {
			if n.seat == s {
				v.note(n)
			}
		}
		s.consumer.mu.Unlock()
	}
	slices.SortFunc(v.loose, func(a, b *node) int { return cmp.Compare(a.order, b.order) })
	return v
}

func (v *view) note(n *node) {
	if !n.stored {
		v.loose = append(v.loose, n)
	}
	if count := n.redelivered(); count > 0 {
		v.counts[n.message.BrokerSequence()] = count
	}
}

// next returns the next message, nil at the end.
func (v *view) next() *message.Message {
	stored, loose := v.firstStored(), v.firstLoose()
	switch {
	case loose != nil && (stored == nil || loose.message.BrokerSequence() < stored.BrokerSequence()):
		v.loose = v.loose[1:]
		return loose.message
	case stored != nil:
		v.paged = v.paged[1:]
	}
	return stored
}

func (v *view) firstLoose() *node {
	for len(v.loose) > 0 && v.loose[0].gone.Load() {
		v.loose = v.loose[1:]
	}
	if len(v.loose) == 0 {
		return nil
	}
	return v.loose[0]
}

// firstStored reads a page if need be.
func (v *view) firstStored() *message.Message {
	if len(v.paged) == 0 && v.after < v.end {
		page, err := v.queue.broker.store.Page(v.queue.name, v.after, pageMessages, pageBytes)
		if err != nil {
			v.queue.broker.logger.Error("cannot read messages back for a browser", "queue", v.queue.name.String(), "error", err)
		}
		v.paged = slices.DeleteFunc(page, func(m *message.Message) bool { return m.BrokerSequence() > v.end })
		v.after = v.end
		if len(v.paged) == len(page) && len(page) > 0 {
			v.after = page[len(page)-1].BrokerSequence()
		}
	}
	if len(v.paged) == 0 {
		return nil
	}
	return v.paged[0]
}

func (v *view) redelivered(m *message.Message) int {
	sequence := m.BrokerSequence()
	if count, known := v.counts[sequence]; known {
		return count
	}
	if sequence < v.suspect && m.Persistent() {
		return 1
	}
	return 0
}

// dispatch shows as much as the consumer can take. w.mu is held.
func (w *browser) dispatch() {
	for w.looked && !w.ended && !w.closed && w.credit() > 0 && w.leaving < browseBytes {
		d, found := w.next()
		if !found {
			w.end()
			return
		}
		w.sent++
		w.leaving += d.Message.Size()
		d.Pull, d.browser = w.pulls.answer(), w
		w.consumer.receiver.Deliver(d)
	}
}

// end tells that there is no more. Who pulls is told when it asks.
func (w *browser) end() {
	w.ended, w.views = true, nil
	if w.consumer.spec.Prefetch > 0 {
		w.consumer.receiver.Deliver(Delivery{})
	}
	w.answerAll()
}

// answerAll tells all that wait for something that there is no more.
func (w *browser) answerAll() {
	for w.pulls.waiting() > 0 {
		w.consumer.receiver.Deliver(Delivery{Pull: w.pulls.answer()})
	}
}

// next returns the next message that the consumer wants.
func (w *browser) next() (Delivery, bool) {
	c := w.consumer
	now := c.connection.broker.millis()
	for len(w.views) > 0 && w.left != 0 {
		v := w.views[0]
		m := v.next()
		if m == nil {
			w.views = w.views[1:]
			continue
		}
		count := v.redelivered(m)
		if m.Expired(now) || c.selector != nil && !c.selector.Matches(properties{m, count > 0}) {
			continue
		}
		w.left--
		return Delivery{Message: m, Redelivered: count}, true
	}
	return Delivery{}, false
}

func (w *browser) credit() int {
	if w.consumer.spec.Prefetch == 0 {
		return w.pulls.waiting()
	}
	return w.consumer.spec.Prefetch - w.sent + w.expanded
}

// acknowledge implements source. Only the count matters, whatever is said of the messages: they stay.
func (w *browser) acknowledge(_ *Consumer, a Ack, _ *Transaction, done func()) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch a.Kind {
	case Delivered:
		w.expanded = min(w.sent, w.expanded+a.Count)
	case Redelivered:
	default:
		w.sent = max(0, w.sent-a.Count)
		w.expanded = max(0, w.expanded-a.Count)
	}
	call(done)
	w.dispatch()
	return nil
}

// written makes room for more on its way.
func (w *browser) written(size int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leaving -= size
	w.dispatch()
}

// pull implements source.
func (w *browser) pull(*Consumer, bool) (number uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	number = w.pulls.ask()
	w.dispatch()
	if w.ended {
		w.answerAll()
	}
	return number
}

// cancelPull implements source.
func (w *browser) cancelPull(_ *Consumer, number uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pulls.waits(number) {
		w.consumer.receiver.Deliver(Delivery{Pull: w.pulls.answer()})
	}
}

// setPrefetch implements source.
func (w *browser) setPrefetch(c *Consumer, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.spec.Prefetch = n
	w.dispatch()
}

// close implements source.
func (w *browser) close(*Consumer, LastDelivered) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed, w.views = true, nil
}
