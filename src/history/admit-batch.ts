/**
 * What came in, sorted out: versions with the entries that are theirs, geneses, and what belongs to nobody.
 *
 * Every version is in one of four states. It begins *open*; it may turn out to be *known* (here already), be *refused*, or
 * *wait* for what it stands on. What is not open any more stays what it is, but for this: a fault that was found while a
 * version was measured against its past counts only where that past holds (`fail`, `settle`).
 * @module
 */
import { compareBytes, equalBytes, toLatin1 } from '../base/bytes.js'
import type { Code } from '../base/error.js'
import { getOrMake } from '../base/map.js'
import { lowerBound } from '../base/search.js'
import { assertEntry, type Entry } from '../lseq/batch.js'
import { compareLseq, formatLseq, LSEQ_BYTES, lseqOfKey, readLseq } from '../lseq/lseq.js'
import { Vector } from '../lseq/vector.js'
import { type Fault, faultIn } from './fault.js'
import type { Genesis } from './genesis.js'
import { decodeVersion, refOf, type Version, type VersionRef } from './header.js'
import { groupsKey, subjectLength, versionKey } from './keys.js'

/** A version or an entry that was not taken in, and why. */
export interface Refusal {
  /** Undefined where the entry is of no version. */
  readonly version?: VersionRef
  /** Full key of the entry that shows it. */
  readonly key?: Uint8Array
  readonly code: Code
  readonly reason: string
}

/** A version that came in. */
export interface Candidate {
  readonly version: Version
  readonly ref: VersionRef
  /** The version's own entry. */
  readonly entry: Entry
  /** All else that is in its block, in key order. */
  readonly entries: Entry[]
  /** Of its stream; undefined where nobody has it. */
  genesis: Genesis | undefined
  state: 'open' | 'known' | 'refused' | 'waiting'
  /** What it stands on that is not here. */
  missing: VersionRef[]
  /** What it covers; known once its links have been followed. */
  vector: Vector
  /** What was found while it was measured against its past. */
  fault: Fault | undefined
}

/** All that came in. */
export class Incoming {
  /** In lseq order, which is causal order. */
  readonly candidates: Candidate[] = []
  /** Genesis entries by stream; the repository's own at 0. */
  readonly geneses = new Map<number, Entry>()
  /** Those of them that are new here and hold. */
  readonly begun = new Map<number, Entry>()
  readonly refused: Refusal[] = []
  /** By id, a binary string. */
  readonly #byId = new Map<string, Candidate>()
  #rest: Entry[] = []

  constructor(entries: readonly Entry[]) {
    const seen = new Map<string, Uint8Array>()
    for (const entry of entries) {
      const { key, value } = entry
      if (!isEntry(entry)) {
        this.#refuseEntry(key, 'BAD_KEY', 'It is too long or too short for an entry.')
        continue
      }
      const kind = String.fromCharCode(key[0] as number)
      const name = toLatin1(key)
      const other = seen.get(name)
      seen.set(name, value)
      if (kind === 'V') {
        // Two versions at one place are told apart by their ids, further on.
        if (other === undefined || !equalBytes(other, value)) this.#takeVersion(entry)
      } else if (other !== undefined) {
        if (!equalBytes(other, value)) this.#refuseEntry(key, 'ENTRY_CONFLICT', 'It is there with another value, too.')
      } else if (kind === 'K') this.#takeGenesis(entry)
      else this.#rest.push(entry)
    }
    this.candidates.sort((a, b) => compareLseq(a.ref, b.ref))
  }

  /** Candidates that are still open, in lseq order. */
  get open(): Candidate[] {
    return this.candidates.filter(({ state }) => state === 'open')
  }

  /** The version with this place and id that came in. */
  find({ seq, stream, id }: VersionRef): Candidate | undefined {
    const found = this.#byId.get(toLatin1(id))
    return found?.ref.seq === seq && found.ref.stream === stream ? found : undefined
  }

  /** Says that a version does not hold. */
  refuse(candidate: Candidate, { code, reason, key }: Fault): void {
    if (candidate.state !== 'open') return
    candidate.state = 'refused'
    this.refused.push({ version: candidate.ref, ...(key === undefined ? {} : { key }), code, reason })
  }

  /** Says that a version does not hold if what it stands on does. The first such fault counts. */
  fail(candidate: Candidate, fault: Fault): void {
    candidate.fault ??= fault
  }

  /** Says that a version stands on what is not here. */
  wait(candidate: Candidate, missing: readonly VersionRef[]): void {
    if (candidate.state !== 'open') return
    candidate.state = 'waiting'
    candidate.missing = [...missing]
  }

  /** Makes wait what stands on versions that do not hold, and refuses those whose own fault it is. */
  settle(): void {
    for (const candidate of this.open) {
      const missing = [candidate.version.prev, ...candidate.version.parents].filter((ref, i, all) => {
        const state = this.find(ref)?.state
        const isFirst = all.findIndex(({ id }) => equalBytes(id, ref.id)) === i
        return isFirst && (state === 'refused' || state === 'waiting')
      })
      if (missing.length > 0) this.wait(candidate, missing)
      else if (candidate.fault !== undefined) this.refuse(candidate, candidate.fault)
    }
  }

  /** Says that an entry is not taken in, whatever becomes of the version. */
  refuseEntry(key: Uint8Array, { code, reason }: Fault): void {
    this.#refuseEntry(key, code, reason)
  }

  /**
   * Gives every entry to the version whose block it is in. Those of versions that were refused or are known go with them.
   */
  assign(): void {
    const open = new Blocks(this.candidates.filter(({ state }) => state === 'open'))
    const others = new Blocks(this.candidates.filter(({ state }) => state !== 'open'))
    for (const entry of this.#rest) {
      const { key } = entry
      const candidate = open.holding(key)
      if (candidate !== undefined) {
        const fault = strayFault(key, candidate)
        if (fault === undefined) candidate.entries.push(entry)
        else this.refuseEntry(key, fault)
      } else if (others.holding(key) === undefined) {
        this.#refuseEntry(key, 'ENTRY_STRAY', 'It is of no version that came with it.')
      }
    }
    this.#rest = []
    for (const { entries } of this.candidates) entries.sort((a, b) => compareBytes(a.key, b.key))
  }

  #takeVersion(entry: Entry): void {
    const { key, value } = entry
    let version: Version | undefined
    const fault = faultIn(() => {
      version = decodeVersion(value)
    })
    if (version === undefined) {
      this.#refuseEntry(key, fault?.code ?? 'BAD_RECORD', fault?.reason ?? '')
      return
    }
    const ref = refOf(version)
    if (!equalBytes(versionKey(version.last, version.stream), key)) {
      const reason = `It stands at ${formatKey(key)} and says it belongs elsewhere.`
      this.refused.push({ version: ref, key, code: 'CHAIN_BROKEN', reason })
      return
    }
    const name = toLatin1(version.id)
    // The same header with another signature: nothing new.
    if (this.#byId.has(name)) return
    const candidate: Candidate = {
      version,
      ref,
      entry,
      entries: [],
      genesis: undefined,
      state: 'open',
      missing: [],
      vector: Vector.empty,
      fault: undefined,
    }
    this.#byId.set(name, candidate)
    this.candidates.push(candidate)
  }

  #takeGenesis(entry: Entry): void {
    const { key } = entry
    if (key.length === 1 + LSEQ_BYTES && lseqOfKey(key).seq === 0) this.geneses.set(lseqOfKey(key).stream, entry)
    else this.#refuseEntry(key, 'BAD_KEY', 'It is no key that a genesis has.')
  }

  #refuseEntry(key: Uint8Array, code: Code, reason: string): void {
    this.refused.push({ key, code, reason })
  }
}

/** Finds the versions by the blocks of seqs that they took. */
class Blocks {
  /** By stream, ascending by last seq. */
  readonly #byStream = new Map<number, { readonly lasts: number[]; readonly candidates: Candidate[] }>()

  constructor(candidates: readonly Candidate[]) {
    for (const candidate of candidates) {
      const { stream, seq } = candidate.ref
      const own = getOrMake(this.#byStream, stream, () => ({ lasts: [], candidates: [] }))
      own.lasts.push(seq)
      own.candidates.push(candidate)
    }
  }

  /** The version that took the lseq in which a key ends. */
  holding(key: Uint8Array): Candidate | undefined {
    const { seq, stream } = lseqOfKey(key)
    const own = this.#byStream.get(stream)
    const candidate = own?.candidates[lowerBound(own.lasts, seq)]
    return candidate !== undefined && candidate.version.first <= seq ? candidate : undefined
  }
}

function isEntry({ key, value }: Entry): boolean {
  try {
    assertEntry(key, value)
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/** Why an entry cannot be of a version, though its lseq is in the version's block. */
function strayFault(key: Uint8Array, { ref }: Candidate): Fault | undefined {
  const kind = String.fromCharCode(key[0] as number)
  if (kind === 'I' || kind === 'X') return { code: 'ENTRY_STRAY', reason: 'It is derived, and is made here.' }
  if (kind === 'G' && !equalBytes(key, groupsKey(ref.seq, ref.stream))) {
    return { code: 'ENTRY_STRAY', reason: 'It lists the groups of a version that is not there.' }
  }
  return faultIn(() => subjectLength(key), key)
}

function formatKey(key: Uint8Array): string {
  const { seq, stream } = readLseq(key, key.length - LSEQ_BYTES)
  return formatLseq(seq, stream)
}
