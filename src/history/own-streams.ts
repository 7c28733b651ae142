/**
 * Which stream a writer goes on with, and where the clock stands.
 *
 * A stream may be continued only from a state that covers its tip: what is in front of it in the chain is then in the
 * past of the new version too. A version that was undone is covered by nothing that follows, so its stream is left alone
 * and another one is used. And only a stream that was begun in this store is continued: replica.ts.
 * @module
 */
import { equalBytes } from '../base/bytes.js'
import { clockOver } from '../lseq/clock.js'
import type { EntryStore } from '../lseq/entries.js'
import { lseqOfKey } from '../lseq/lseq.js'
import type { Streams, Vector } from '../lseq/vector.js'
import { beginStream, decodeGenesis, type Genesis, readRepositoryId } from './genesis.js'
import { decodeVersion, type VersionRef } from './header.js'
import { genesisKey, kindRange } from './keys.js'
import type { Writer } from './replica.js'

/** Where the next version of a writer goes. */
export interface StreamPlace {
  readonly stream: number
  /** The version before it in the stream; for the stream's first, seq 0 and the id of the genesis. */
  readonly prev: VersionRef
  /** The genesis entry's value, where the stream begins with the next version. */
  readonly genesis: { readonly key: Uint8Array; readonly value: Uint8Array } | undefined
  /** Where the clock stands: the next seq is one more. */
  readonly clock: number
}

/** What is needed to choose a content stream. */
export interface PlaceRequest {
  readonly writer: Writer
  readonly random: (bytes: number) => Uint8Array
  readonly streams: Streams
  /** What the new version stands on. */
  readonly vector: Vector
  /** Stream of the first parent: preferred, so that a line of work stays in one stream. */
  readonly preferred: number | undefined
  /** Begin a stream: for a version on which nothing will stand, which would else cut a stream off for what does. */
  readonly isAside?: boolean | undefined
}

/** Chooses the stream for a version on top of `vector`: the first parent's, else one of the writer's that fits, else a new one. */
export async function placeVersion(entries: EntryStore, request: PlaceRequest): Promise<StreamPlace> {
  const { writer, random, streams, vector, preferred } = request
  const { own, taken } = await ownStreams(entries, writer)
  const left = new Set(request.isAside === true ? [] : own.keys())
  const fitting = new Map<number, VersionRef>()
  let greatest = 0
  // Last first: the greatest seq is the first met, and the tip of the stream that is wanted is mostly near.
  for await (const batch of entries.scan({ ...kindRange('V'), reverse: true })) {
    for (let i = 0; i < batch.count; i++) {
      const { seq, stream } = lseqOfKey(batch.key(i))
      greatest = Math.max(greatest, seq)
      if (!left.delete(stream)) continue
      if (!vector.covers(streams.slot(stream), seq)) continue
      fitting.set(stream, { seq, stream, id: decodeVersion(batch.value(i)).id })
    }
    if (left.size === 0 || (preferred !== undefined && fitting.has(preferred))) break
  }
  // The version before it in its stream is in the vector as well.
  const past = [...vector.entries()].reduce((most, [, seq]) => Math.max(most, seq), 0)
  const clock = clockOver(past, greatest)
  const prev = (preferred === undefined ? undefined : fitting.get(preferred)) ?? [...fitting.values()][0]
  if (prev !== undefined) return { stream: prev.stream, prev, genesis: undefined, clock }
  const repository = await readRepositoryId(entries)
  const begun = beginStream(repository, writer.signer.publicKey, 'content', random, (stream) => taken.has(stream))
  const { stream, id, value } = begun
  return { stream, prev: { seq: 0, stream, id }, genesis: { key: genesisKey(stream), value }, clock }
}

async function ownStreams(
  entries: EntryStore,
  { signer, replica }: Writer,
): Promise<{ own: Map<number, Genesis>; taken: Set<number> }> {
  const own = new Map<number, Genesis>()
  const taken = new Set<number>()
  for await (const batch of entries.scan(kindRange('K'))) {
    for (let i = 0; i < batch.count; i++) {
      const { stream } = lseqOfKey(batch.key(i))
      taken.add(stream)
      if (!replica.own.has(stream)) continue
      const genesis = decodeGenesis(batch.value(i))
      if (genesis.kind === 'content' && equalBytes(genesis.publicKey, signer.publicKey)) own.set(stream, genesis)
    }
  }
  return { own, taken }
}
