// Package file is a log of segment files in one directory, on a local disk or on a volume that several machines have
// mounted (NFS, CephFS, GlusterFS, a cloud's file share). Of all who open the directory, one appends; the others follow.
//
// # What is in the directory
//
//	lock                    locked by the holder; a Java broker on the directory locks the same file
//	broker                  whose directory it is
//	term.7                  the last term claimed is 7; has a page for each claimant, see claim
//	TERM-ENTRY.log          a segment: written in that term, its first entry has that number; see header
//	TERM-ENTRY.new          a segment that is not complete yet and counts for nothing
//	TERM.spare              a segment whose entries were dropped, to be used again in its own term
//
// # One entry in flight
//
// An entry is written only when the one before it was synced, the term was read again, and nobody had a higher one. All that
// follows rests on this: an entry that has a successor, in its file or by the name of a later file, is part of the log for
// ever; and only the very last entry can be unknown to the disk, or be one that no holder ever applied.
//
// So a standby applies all but the last entry it sees. And a new holder, its term durable, reads to the end, writes that one
// last entry again into a segment of its own, which from its start on takes the place of anything that lower terms wrote or will
// still write: their files are never changed, only ever removed. The segment gets its name when it is complete and synced,
// so a crash at any point leaves either the old end or the new one.
//
// A holder that gives up its right in order writes an entry without records behind its last one. That seals it: if the last
// entry is damaged later, it is refused as any other is, and not taken for one that was never written to its end. An
// entry that was the last one when its holder crashed has no such seal; there the two cannot be told apart.
//
// # Dropping
//
// A segment's header says below which entry nothing is needed. A new segment is begun when there is something to give
// back; when its name is durable and the term was read again, files that hold only lower entries are removed, in any order,
// since no reader looks at them any more.
package file
