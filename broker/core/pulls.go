package core

// pulls are a consumer's requests for one message each, when its prefetch is 0. They are numbered from 1 and answered in
// order, so that a timer that comes late does not end the request after its own.
type pulls struct {
	asked, answered uint64
}

func (p *pulls) ask() (number uint64) {
	p.asked++
	return p.asked
}

// answer ends the oldest that waits and returns its number, 0 if none does.
func (p *pulls) answer() (number uint64) {
	if p.waiting() == 0 {
		return 0
	}
	p.answered++
	return p.answered
}

func (p *pulls) waiting() int { return int(p.asked - p.answered) }

func (p *pulls) waits(number uint64) bool { return number > p.answered }
