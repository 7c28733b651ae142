/**
 * Admission, step 6: every content that a version puts is rebuilt and compared with its SHA-256, and whatever stands beside
 * lines is measured against those lines.
 *
 * File by file, so that one file's entries are read once and are all that is in memory. A few states of a file are read as
 * a reader would (lines/walk.ts); many are replayed (lines/replay.ts).
 * @module
 */
import { compareBytes, fromLatin1, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { getOrMake } from '../base/map.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { PrefixHash } from '../crypto/prefix-hash.js'
import { ContentReader } from '../lines/content.js'
import { falseOrigins, type OriginSources } from '../lines/false-origins.js'
import { decodeOrigins, holdsOrigins } from '../lines/origin.js'
import { Replay } from '../lines/replay.js'
import { countLines } from '../lines/split.js'
import { decodeRanges } from '../lines/tombstone.js'
import { contentInKernel } from '../lines/walk-kernel.js'
import { type Run, WeaveBuilder } from '../lines/weave.js'
import type { Entry, EntryBatch } from '../lseq/batch.js'
import { Coverage } from '../lseq/coverage.js'
import { formatLseq, type Lseq } from '../lseq/lseq.js'
import { type Streams, Vector } from '../lseq/vector.js'
import type { Candidate, Incoming } from './admit-batch.js'
import type { AdmitContext, StoredVersions } from './admit-chain.js'
import type { ContentClaim } from './admit-trees.js'
import { chunksAt } from './chunked.js'
import { besideKey, runOf } from './entry-rules.js'
import { type Fault, faultIn } from './fault.js'
import { FILE_PREFIX_BYTES, isTombstoneKey, prefixRange } from './keys.js'
import { Overlay } from './overlay.js'
import { sourcesOf } from './sources.js'

/** From this many states on, replaying a file is faster than reading it. */
const WORTH_A_REPLAY = 8

const LINES = 'L'.charCodeAt(0)
const CHUNKED = ['B'.charCodeAt(0), 'C'.charCodeAt(0)]

/** An entry that came in, and whose it is. */
interface OwnEntry extends Entry {
  readonly candidate: Candidate
}

/** Compares contents, and whatever stands beside lines. */
export async function checkContents(
  context: AdmitContext,
  incoming: Incoming,
  stored: StoredVersions,
  claims: ReadonlyMap<string, readonly ContentClaim[]>,
): Promise<void> {
  const lines = new Map<string, OwnEntry[]>()
  const chunked: Entry[] = []
  for (const candidate of incoming.open) {
    for (const entry of candidate.entries) {
      const kind = entry.key[0] as number
      if (CHUNKED.includes(kind)) chunked.push(entry)
      if (kind !== LINES) continue
      const file = toLatin1(entry.key, 1, FILE_PREFIX_BYTES)
      getOrMake(lines, file, () => [] as OwnEntry[]).push({ ...entry, candidate })
    }
  }
  const checker = new LineChecker(context, incoming, stored)
  const overlay = new Overlay(context.entries, chunked)
  for (const file of [...new Set([...claims.keys(), ...lines.keys()])].sort()) {
    const own = claims.get(file) ?? []
    const asLines = own.filter(({ put }) => !put.chunked)
    if (asLines.length > 0 || lines.has(file)) await checker.check(file, lines.get(file) ?? [], asLines)
    for (const claim of own) {
      if (claim.put.chunked && claim.candidate.state === 'open') {
        const fault = await chunkedFault(overlay, context.versions.streams, claim)
        if (fault !== undefined) incoming.fail(claim.candidate, fault)
      }
    }
  }
  incoming.settle()
}

function wrongContent({ key }: ContentClaim): Fault {
  return { code: 'CONTENT_DAMAGED', reason: 'The content of a file is not the one whose hash it signed.', key }
}

async function chunkedFault(overlay: Overlay, streams: Streams, claim: ContentClaim): Promise<Fault | undefined> {
  const { put, candidate, key } = claim
  const covers = (seq: number, stream: number): boolean => {
    const slot = streams.find(stream)
    return slot !== undefined && candidate.vector.covers(slot, seq)
  }
  const hash = crypto.createSha256()
  let size = 0
  try {
    for await (const chunk of chunksAt(overlay, put.file, covers)) {
      size += chunk.length
      if (size > put.size) break
      hash.update(chunk)
    }
  } catch (error) {
    if (!(error instanceof CodedError) || (error.code !== 'CHUNK_MISSING' && error.code !== 'BAD_RECORD')) throw error
    return { code: error.code, reason: error.message, key }
  }
  return size === put.size && toLatin1(hash.digest()) === toLatin1(put.sha256) ? undefined : wrongContent(claim)
}

/** Checks files that are kept as lines. */
class LineChecker {
  readonly #context: AdmitContext
  readonly #incoming: Incoming
  readonly #stored: StoredVersions
  readonly #coverages = new Map<Vector, Coverage>()

  constructor(context: AdmitContext, incoming: Incoming, stored: StoredVersions) {
    this.#context = context
    this.#incoming = incoming
    this.#stored = stored
  }

  /** @param file - Its id, a binary string of 8 bytes. */
  async check(file: string, entries: readonly OwnEntry[], claims: readonly ContentClaim[]): Promise<void> {
    const isOpen = ({ candidate }: { readonly candidate: Candidate }) => candidate.state === 'open'
    let own = entries.filter(isOpen)
    // What none of them covers is of no interest: nothing that they do may rest on it.
    const vectors = new Set([...own, ...claims].map(({ candidate }) => candidate.vector))
    const joined = [...vectors].reduce((all, vector) => all.join(vector), Vector.empty)
    const wanted = new Coverage(joined, this.#context.versions.streams)
    let batches = await this.#read(file, own, wanted)
    // What does not fit together would be in the way of everything else in the file.
    while (this.#findMisfits(own, batches)) {
      this.#incoming.settle()
      own = own.filter(isOpen)
      batches = await this.#read(file, own, wanted)
    }
    if (own.some(({ key, value }) => isTombstoneKey(key) && holdsOrigins(value))) {
      await this.#checkOrigins(own, batches)
    }
    const open = claims.filter(isOpen)
    if (open.length < WORTH_A_REPLAY) this.#readStates(open, batches)
    else this.#replayStates(open, batches)
  }

  /** The line entries of a file, in key order; what is not wanted may be left out. */
  async #read(file: string, own: readonly OwnEntry[], wanted: Coverage): Promise<EntryBatch[]> {
    const scan = new Overlay(this.#context.entries, own).scan({ ...prefixRange(fromLatin1(`L${file}`)), wanted })
    const batches: EntryBatch[] = []
    for await (const batch of scan) batches.push(batch)
    return batches
  }

  /** Looks for tombstones and origins that do not fit the lines beside which they stand; whether there were any. */
  #findMisfits(own: readonly OwnEntry[], batches: readonly EntryBatch[]): boolean {
    let found = false
    const seen = new Set<string>()
    for (const { key, value, candidate } of own) {
      if (!isTombstoneKey(key)) continue
      const fault = this.#misfit(key, value, candidate.vector, batches) ?? twice(key, value, seen)
      if (fault === undefined) continue
      this.#incoming.fail(candidate, fault)
      found = true
    }
    return found
  }

  #misfit(key: Uint8Array, value: Uint8Array, vector: Vector, batches: readonly EntryBatch[]): Fault | undefined {
    const { seq, stream } = runOf(key) as Lseq
    const run = valueAt(batches, besideKey(key))
    const slot = this.#context.versions.streams.find(stream)
    if (run === undefined || slot === undefined || !vector.covers(slot, seq)) {
      return { code: 'BAD_WEAVE', reason: 'It deletes lines that are not in its past.', key }
    }
    const count = countLines(run)
    return faultIn(() => {
      if (!holdsOrigins(value)) decodeRanges(value, count)
      else if ((decodeOrigins(value).at(-1)?.to ?? 0) > count) {
        throw new CodedError('BAD_WEAVE', 'It names origins of more lines than it put.')
      }
    }, key)
  }

  async #checkOrigins(own: readonly OwnEntry[], batches: readonly EntryBatch[]): Promise<void> {
    const { streams } = this.#context.versions
    const byRun = new Map<string, Candidate>()
    const sources = new Map<Candidate, OriginSources | undefined>()
    for (const { key, value, candidate } of own) {
      if (!isTombstoneKey(key) || !holdsOrigins(value)) continue
      const { seq, stream } = runOf(key) as Lseq
      byRun.set(formatLseq(seq, stream), candidate)
      if (!sources.has(candidate)) sources.set(candidate, await this.#sourcesOf(candidate))
    }
    const holder = ({ slot, seq }: Run) => byRun.get(formatLseq(seq, streams.id(slot)))
    const { untrue } = falseOrigins(
      weaveOf(batches, streams),
      streams,
      {
        covers: (run, slot, seq) => holder(run)?.vector.covers(slot, seq) === true,
        sources: (run) => sources.get(holder(run) as Candidate),
      },
      (run) => holder(run) !== undefined,
    )
    for (const run of untrue) {
      const reason = 'Its lines claim to be lines put before that they are not.'
      this.#incoming.fail(holder(run) as Candidate, { code: 'ORIGIN_FALSE', reason })
    }
  }

  async #sourcesOf({ version, vector }: Candidate): Promise<OriginSources | undefined> {
    const { streams } = this.#context.versions
    const sources = sourcesOf(version).filter(({ seq, stream }) => {
      const slot = streams.find(stream)
      return slot === undefined || !vector.covers(slot, seq)
    })
    if (sources.length === 0) return undefined
    await this.#stored.load(sources)
    const vectors: Vector[] = []
    for (const source of sources) {
      const own = this.#incoming.find(source)
      if (own?.state === 'open') vectors.push(own.vector)
      else if (this.#stored.has(source)) vectors.push(await this.#stored.vectorOf(source))
    }
    return {
      isMissing: vectors.length < sources.length,
      covers: (slot, seq) => vectors.some((vector) => vector.covers(slot, seq)),
    }
  }

  #readStates(claims: readonly ContentClaim[], batches: readonly EntryBatch[]): void {
    for (const claim of claims) {
      const { candidate, put } = claim
      const fault = faultIn(() => {
        const content = this.#contentAt(batches, candidate.vector)
        const isRight = content.length === put.size && crypto.sha256Binary(content) === toLatin1(put.sha256)
        if (!isRight) this.#incoming.fail(candidate, wrongContent(claim))
      }, claim.key)
      if (fault !== undefined) this.#incoming.fail(candidate, fault)
    }
  }

  /** The bytes of a file at a state, as readers put them together. */
  #contentAt(batches: readonly EntryBatch[], vector: Vector): Uint8Array {
    const { streams } = this.#context.versions
    const coverage = getOrMake(this.#coverages, vector, () => new Coverage(vector, streams))
    const slices = batches.map((batch) => ({ batch, from: 0, to: batch.count }))
    const content = contentInKernel(slices, FILE_PREFIX_BYTES, coverage)
    if (content !== undefined) return content
    const reader = new ContentReader(streams, vector)
    for (const batch of batches) reader.push(batch, 0, batch.count, FILE_PREFIX_BYTES)
    return reader.finish()
  }

  #replayStates(claims: readonly ContentClaim[], batches: readonly EntryBatch[]): void {
    const { streams } = this.#context.versions
    const touches = new Touches(claims.map(({ candidate }) => candidate.vector))
    const replay = new Replay(weaveOf(batches, streams), (slot, seq) => touches.number(slot, seq))
    const hasher = new PrefixHash()
    let hash: string | undefined
    for (const claim of claims) {
      const { candidate, put } = claim
      const same = replay.goTo((number) => touches.isCovered(number, candidate.vector))
      if (hash === undefined || same !== undefined)
        hash = hasher.digest(replay.content, hash === undefined ? 0 : (same as number))
      const isRight = replay.content.length === put.size && hash === toLatin1(put.sha256)
      if (!isRight) this.#incoming.fail(candidate, wrongContent(claim))
    }
  }
}

/** A run has one list of origins: two would be one, and nobody knows which. */
function twice(key: Uint8Array, value: Uint8Array, seen: Set<string>): Fault | undefined {
  if (!holdsOrigins(value)) return undefined
  const run = toLatin1(besideKey(key))
  if (seen.has(run)) return { code: 'BAD_WEAVE', reason: 'It names the origins of the same lines twice.', key }
  seen.add(run)
  return undefined
}

/** The value of an entry among batches in key order. */
function valueAt(batches: readonly EntryBatch[], key: Uint8Array): Uint8Array | undefined {
  for (const batch of batches) {
    if (compareBytes(batch.key(batch.count - 1), key) < 0) continue
    const i = batch.lowerBound(key)
    return compareBytes(batch.key(i), key) === 0 ? batch.value(i) : undefined
  }
  return undefined
}

function weaveOf(batches: readonly EntryBatch[], streams: Streams) {
  const builder = new WeaveBuilder(streams)
  for (const batch of batches) {
    for (let i = 0; i < batch.count; i++) builder.push(batch.key(i).subarray(FILE_PREFIX_BYTES), batch.value(i))
  }
  return builder.finish()
}

const ALWAYS = 0
const NEVER = 1

/** Numbers lseqs for a replay: one for all that every state covers, one for all that none does, and one for each other. */
class Touches {
  readonly #vectors: readonly Vector[]
  /** By slot: what every state covers, and what any does. */
  readonly #bounds = new Map<number, readonly [least: number, most: number]>()
  readonly #numbers = new Map<number, Map<number, number>>()
  readonly #slots: number[] = [0, 0]
  readonly #seqs: number[] = [0, 0]

  constructor(vectors: readonly Vector[]) {
    this.#vectors = vectors
  }

  number(slot: number, seq: number): number {
    const [least, most] = getOrMake(this.#bounds, slot, () => {
      const seqs = this.#vectors.map((vector) => vector.seqAt(slot))
      return [seqs.reduce((a, b) => Math.min(a, b)), seqs.reduce((a, b) => Math.max(a, b))] as const
    })
    if (seq <= least) return ALWAYS
    if (seq > most) return NEVER
    const bySeq = getOrMake(this.#numbers, slot, () => new Map<number, number>())
    return getOrMake(bySeq, seq, () => {
      this.#slots.push(slot)
      return this.#seqs.push(seq) - 1
    })
  }

  isCovered(number: number, vector: Vector): boolean {
    if (number <= NEVER) return number === ALWAYS
    return vector.covers(this.#slots[number] as number, this.#seqs[number] as number)
  }
}
