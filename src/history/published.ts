/**
 * What is published: the versions that a replica offers to others.
 *
 * Those are the past of all names that count (branches, tags, snapshots), the refs streams that say so, and whatever has
 * been published before: once others may have it, it stays offered, so that replicas end up with the same versions whatever
 * becomes of a name. What was undone before anybody had it, and what is shelved, is not published.
 *
 * In each stream the published versions are a prefix, so they are a vector. The record in the store remembers it, and of each
 * stream's last published version the first bytes of its id, by which two replicas see that they mean the same version:
 *
 *     `m` | `published`   ->   ( lseq (8) | first 4 bytes of the id ) +, by stream
 * @module
 */
import { encodeUtf8 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { EntryStore } from '../lseq/entries.js'
import { LSEQ_BYTES, type Lseq, lseqOfKey, readLseq, writeLseq } from '../lseq/lseq.js'
import type { Operation } from '../lseq/store.js'
import { type Streams, Vector } from '../lseq/vector.js'
import { decodeGenesis } from './genesis.js'
import { kindRange } from './keys.js'
import { readRefs } from './refs.js'
import type { Versions } from './versions.js'

/** The last version of a stream that a replica offers, and how it can be told from another at that place. */
export interface Tip extends Lseq {
  /** First bytes of the version's id, as a number. */
  readonly check: number
}

/** Tips, one for each stream at most: a vector that can be checked. */
export class Tips {
  readonly #byStream: ReadonlyMap<number, Tip>

  constructor(tips: Iterable<Tip> = []) {
    this.#byStream = new Map([...tips].map((tip) => [tip.stream, tip]))
  }

  get size(): number {
    return this.#byStream.size
  }

  get(stream: number): Tip | undefined {
    return this.#byStream.get(stream)
  }

  covers({ seq, stream }: Lseq): boolean {
    return (this.#byStream.get(stream)?.seq ?? 0) >= seq
  }

  /** Whether everything that `other` covers is covered. */
  includes(other: Tips): boolean {
    for (const tip of other) if (!this.covers(tip)) return false
    return true
  }

  /** The greater tip of each stream; of two at one place, this one's. */
  join(other: Iterable<Tip>): Tips {
    const joined = new Map(this.#byStream)
    for (const tip of other) if (!this.covers(tip)) joined.set(tip.stream, tip)
    return new Tips(joined.values())
  }

  /** The same without some streams. */
  without(streams: ReadonlySet<number>): Tips {
    return streams.size === 0 ? this : new Tips([...this].filter(({ stream }) => !streams.has(stream)))
  }

  /** The same without checks. */
  vector(streams: Streams): Vector {
    let vector = Vector.empty
    for (const { seq, stream } of this) vector = vector.with(streams.slot(stream), seq)
    return vector
  }

  /** In order of streams. */
  *[Symbol.iterator](): Generator<Tip> {
    yield* [...this.#byStream.values()].sort((a, b) => a.stream - b.stream)
  }
}

/** Bytes of one tip: lseq and check. */
export const TIP_BYTES = LSEQ_BYTES + 4

export function encodeTips(tips: Tips): Uint8Array {
  const out = new Uint8Array(tips.size * TIP_BYTES)
  const view = new DataView(out.buffer)
  let at = 0
  for (const { seq, stream, check } of tips) {
    view.setUint32(writeLseq(out, at, seq, stream), check)
    at += TIP_BYTES
  }
  return out
}

/** @throws {CodedError} `BAD_RECORD` for bytes that `encodeTips` does not write. */
export function decodeTips(bytes: Uint8Array): Tips {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const tips: Tip[] = []
  let isOrdered = bytes.length % TIP_BYTES === 0
  for (let at = 0; isOrdered && at < bytes.length; at += TIP_BYTES) {
    const tip = { ...readLseq(bytes, at), check: view.getUint32(at + LSEQ_BYTES) }
    isOrdered = tip.stream > (tips.at(-1)?.stream ?? 0) && tip.seq > 0
    tips.push(tip)
  }
  if (!isOrdered) throw new CodedError('BAD_RECORD', 'A list of the tips of streams is malformed.')
  return new Tips(tips)
}

/** The check of a version. */
export function tipOf({ seq, stream, id }: Lseq & { readonly id: Uint8Array }): Tip {
  return { seq, stream, check: new DataView(id.buffer, id.byteOffset).getUint32(0) }
}

const PUBLISHED_KEY = encodeUtf8('mpublished')

/** What has been published, as far as the record says: less than `publishedTips` where names were moved since. */
export async function recordedTips({ store }: Pick<EntryStore, 'store'>): Promise<Tips> {
  const value = await store.get(PUBLISHED_KEY)
  return value === undefined ? new Tips() : decodeTips(value)
}

/** The write that makes `tips` the record of what is published. */
export function recordTips(tips: Tips): Operation {
  return { type: 'put', key: PUBLISHED_KEY, value: encodeTips(tips) }
}

/** The write that forgets what was published but for what names lead to: for a store that has lost some of it. */
export function forgetTips(): Operation {
  return { type: 'del', key: PUBLISHED_KEY }
}

/** All that is to be offered: what the record has, and what names and refs streams lead to. */
export async function publishedTips(entries: EntryStore, versions: Versions): Promise<Tips> {
  const recorded = await recordedTips(entries)
  const { streams } = versions
  let vector = recorded.vector(streams)
  for (const { value } of await readRefs(entries)) {
    const { version, vector: named = [] } = value
    for (const lseq of version === undefined ? named : [version]) {
      if (vector.covers(streams.slot(lseq.stream), lseq.seq)) continue
      // What a snapshot covers of a stream may lie between two versions of it.
      const at = version ?? (await versions.atOrBefore(lseq))
      if (at !== undefined) vector = vector.join(await versions.vectorOf(at))
    }
  }
  for (const lseq of await refsTips(entries)) {
    if (vector.covers(streams.slot(lseq.stream), lseq.seq)) continue
    const holder = await versions.holder(lseq)
    if (holder !== undefined) vector = vector.with(streams.slot(lseq.stream), holder.last)
  }
  const tips: Tip[] = []
  for (const [slot, seq] of vector.entries()) {
    const stream = streams.id(slot)
    const known = recorded.get(stream)
    if (known?.seq === seq) tips.push(known)
    else tips.push(tipOf({ seq, stream, id: (await versions.expect({ seq, stream })).id }))
  }
  return new Tips(tips)
}

/** Of each refs stream the greatest lseq of a ref in it. */
async function refsTips(entries: EntryStore): Promise<Lseq[]> {
  const kinds = new Set<number>()
  for await (const batch of entries.scan(kindRange('K'))) {
    for (let i = 0; i < batch.count; i++) {
      const { stream } = lseqOfKey(batch.key(i))
      if (stream !== 0 && decodeGenesis(batch.value(i)).kind === 'refs') kinds.add(stream)
    }
  }
  const greatest = new Map<number, number>()
  for await (const batch of entries.scan(kindRange('R'))) {
    for (let i = 0; i < batch.count; i++) {
      const { seq, stream } = lseqOfKey(batch.key(i))
      if (kinds.has(stream) && seq > (greatest.get(stream) ?? 0)) greatest.set(stream, seq)
    }
  }
  return [...greatest].map(([stream, seq]) => ({ seq, stream }))
}
