/**
 * The tree at a state, read from the path entries: which paths are there and what they are.
 *
 * The state of a path is its covered entry with the greatest lseq. Entries of one path are neighbours in lseq order, so
 * one pass in key order finds them all.
 * @module
 */
import { fromLatin1, toLatin1 } from '../base/bytes.js'
import { Coverage } from '../lseq/coverage.js'
import type { EntryStore } from '../lseq/entries.js'
import { LSEQ_BYTES, readSeq, readStream } from '../lseq/lseq.js'
import type { Range } from '../lseq/store.js'
import type { Streams, Vector } from '../lseq/vector.js'
import { kindRange, pathPrefix, prefixRange } from './keys.js'
import { decodePathEntry, type PathEntry, type PathPut } from './path-entry.js'

/** A path with its latest covered entry. */
export interface PathState<E extends PathEntry = PathEntry> {
  /** Binary string. */
  readonly path: string
  readonly seq: number
  readonly stream: number
  readonly entry: E
}

/** Bytes behind the path in a path entry's key: NUL and lseq. */
const TAIL = 1 + LSEQ_BYTES

/**
 * The paths that are there at `vector`, in byte order.
 *
 * @param under - Binary string: only this path, or those below it as a directory; '' for all.
 */
export async function* pathsAt(
  entries: EntryStore,
  streams: Streams,
  vector: Vector,
  under = '',
): AsyncGenerator<PathState<PathPut>> {
  for (const range of rangesUnder(under)) {
    for await (const state of latest(entries, streams, vector, range)) {
      if ('file' in state.entry) yield state as PathState<PathPut>
    }
  }
}

/** What is known of one path at `vector`; undefined where it was never there, a deletion where it is gone. */
export async function pathAt(
  entries: EntryStore,
  streams: Streams,
  vector: Vector,
  path: string,
): Promise<PathState | undefined> {
  for await (const state of latest(entries, streams, vector, prefixRange(pathPrefix(path)))) return state
  return undefined
}

/** Every entry a path ever had, oldest first. */
export async function* pathHistory(entries: EntryStore, path: string): AsyncGenerator<PathState> {
  for await (const batch of entries.scan(prefixRange(pathPrefix(path)))) {
    for (let i = 0; i < batch.count; i++) {
      const key = batch.key(i)
      const at = key.length - LSEQ_BYTES
      yield { path, seq: readSeq(key, at), stream: readStream(key, at), entry: decodePathEntry(batch.value(i)) }
    }
  }
}

/** The path itself, and what is below it. */
function rangesUnder(under: string): Range[] {
  if (under === '') return [kindRange('P')]
  return [prefixRange(pathPrefix(under)), prefixRange(fromLatin1(`P${under}/`))]
}

/** The latest covered entries of the paths in a range. What is not covered costs a look at its lseq. */
async function* latest(entries: EntryStore, streams: Streams, vector: Vector, range: Range): AsyncGenerator<PathState> {
  let path: string | undefined
  let seq = 0
  let stream = 0
  let value: Uint8Array = NOTHING
  const scan = entries.scan({ ...range, wanted: new Coverage(vector, streams, true) })
  for await (const { count, keys, keyStarts, keyEnds, values, valueStarts, valueEnds } of scan) {
    for (let i = 0; i < count; i++) {
      const end = (keyEnds[i] as number) - TAIL
      const slot = streams.find(readStream(keys, end + 1))
      if (slot === undefined || !vector.covers(slot, readSeq(keys, end + 1))) continue
      const next = toLatin1(keys, (keyStarts[i] as number) + 1, end)
      if (path !== undefined && path !== next) yield { path, seq, stream, entry: decodePathEntry(value) }
      path = next
      seq = readSeq(keys, end + 1)
      stream = readStream(keys, end + 1)
      value = values.subarray(valueStarts[i], valueEnds[i])
    }
  }
  if (path !== undefined) yield { path, seq, stream, entry: decodePathEntry(value) }
}

const NOTHING = new Uint8Array(0)
