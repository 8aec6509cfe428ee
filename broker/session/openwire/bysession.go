package openwire

// bySession has the ids of what each JMS session has, so that the end of one looks at nothing of the others.
type bySession[ID comparable] map[int64]map[ID]struct{}

func (b bySession[ID]) add(session int64, id ID) {
	ids := b[session]
	if ids == nil {
		ids = map[ID]struct{}{}
		b[session] = ids
	}
	ids[id] = struct{}{}
}

func (b bySession[ID]) remove(session int64, id ID) {
	delete(b[session], id)
	if len(b[session]) == 0 {
		delete(b, session)
	}
}
