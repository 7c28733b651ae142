/**
 * Admission, steps 1 to 3: what is here already, geneses and signatures, and the links into the past.
 *
 * A few look-ups by key, and no pass over the history: where a stream ends is told by the caller, or found among the
 * versions that are not older than those that came in.
 * @module
 */
import { equalBytes, toLatin1 } from '../base/bytes.js'
import { getOrMake } from '../base/map.js'
import type { Entry } from '../lseq/batch.js'
import type { EntryStore } from '../lseq/entries.js'
import { formatLseq, formatStream, type Lseq, lseqOfKey } from '../lseq/lseq.js'
import { Vector } from '../lseq/vector.js'
import type { Candidate, Incoming } from './admit-batch.js'
import { genesisFault, headerFault, linkFault, type Past } from './chain.js'
import { evidenceKey } from './evidence.js'
import { type Fault, faultIn } from './fault.js'
import { decodeGenesis, type Genesis, repositoryId } from './genesis.js'
import { decodeVersion, type VersionRef } from './header.js'
import { genesisKey, kindRange, versionKey } from './keys.js'
import { SignatureQueue, wrongSignatures } from './signatures.js'
import { fingerprint } from './signer.js'
import { sourcesOf } from './sources.js'
import type { Versions } from './versions.js'

/** What versions are admitted to. */
export interface AdmitContext {
  readonly entries: EntryStore
  readonly versions: Versions
  /** The greatest seq here of every stream, where the caller knows; a stream that is not in it has no version here. */
  readonly tips?: ReadonlyMap<number, number> | undefined
}

/** Whether somebody may sign, apart from whether it was signed: undefined for yes. */
export type MaySign = (publicKey: Uint8Array, at: Lseq) => Fault | undefined

/** The versions of the store that were asked for so far. */
export class StoredVersions {
  readonly #entries: EntryStore
  readonly #versions: Versions
  readonly #found = new Map<string, { readonly id: Uint8Array; readonly isContent: boolean } | undefined>()
  readonly #vectors = new Map<string, Vector>()

  constructor({ entries, versions }: AdmitContext) {
    this.#entries = entries
    this.#versions = versions
  }

  /** Looks versions up by place. */
  async load(lseqs: Iterable<Lseq>): Promise<void> {
    const names = new Map<string, Uint8Array>()
    for (const { seq, stream } of lseqs) {
      const name = formatLseq(seq, stream)
      if (!this.#found.has(name)) names.set(name, versionKey(seq, stream))
    }
    const wanted = [...names].sort(([, a], [, b]) => Buffer.compare(a, b))
    const values = await this.#entries.getMany(wanted.map(([, key]) => key))
    wanted.forEach(([name], i) => {
      const value = values[i]
      const version = value === undefined ? undefined : decodeVersion(value)
      this.#found.set(name, version && { id: version.id, isContent: version.tree !== undefined })
    })
  }

  /** A version that was looked up. */
  at({ seq, stream }: Lseq): { readonly id: Uint8Array; readonly isContent: boolean } | undefined {
    return this.#found.get(formatLseq(seq, stream))
  }

  /** Whether just this version is here, of those looked up. */
  has(ref: VersionRef): boolean {
    const found = this.at(ref)
    return found !== undefined && equalBytes(found.id, ref.id)
  }

  /** What a version that is here covers. */
  async vectorOf(ref: VersionRef): Promise<Vector> {
    const name = formatLseq(ref.seq, ref.stream)
    const vector = this.#vectors.get(name) ?? (await this.#versions.vectorOf(ref))
    this.#vectors.set(name, vector)
    return vector
  }
}

/** Finds out which versions are here already. */
export async function findKnown(incoming: Incoming, stored: StoredVersions): Promise<void> {
  await stored.load(incoming.candidates.map(({ ref }) => ref))
  for (const candidate of incoming.candidates) if (stored.has(candidate.ref)) candidate.state = 'known'
}

/** Finds the genesis of every stream, here or in what came in. */
export async function findGeneses(entries: EntryStore, incoming: Incoming, repository: Uint8Array): Promise<void> {
  const { geneses } = incoming
  const root = geneses.get(0)
  if (root !== undefined) refuseOtherRepository(incoming, root, repository)
  const byStream = new Map<number, Candidate[]>()
  for (const candidate of incoming.open)
    getOrMake(byStream, candidate.ref.stream, () => [] as Candidate[]).push(candidate)
  const streams = [...new Set([...byStream.keys(), ...geneses.keys()])].filter((stream) => stream !== 0)
  const values = await entries.getMany(streams.sort((a, b) => a - b).map(genesisKey))
  for (const [i, stream] of streams.entries()) {
    const here = values[i]
    const theirs = geneses.get(stream)
    const candidates = byStream.get(stream) ?? []
    if (here !== undefined) {
      const genesis = decodeGenesis(here)
      const isClash = theirs !== undefined && !equalBytes(theirs.value, here)
      if (isClash) refuseClash(incoming, genesis, theirs, candidates)
      for (const candidate of candidates) candidate.genesis = genesis
    } else if (theirs !== undefined && candidates.length === 0) {
      const reason = 'It is the genesis of a stream of which no version came with it.'
      incoming.refuseEntry(theirs.key, { code: 'ENTRY_STRAY', reason })
    } else if (theirs !== undefined) {
      const genesis = takeGenesis(incoming, theirs, stream, repository, candidates)
      if (genesis === undefined) continue
      incoming.begun.set(stream, theirs)
      for (const candidate of candidates) candidate.genesis = genesis
    }
  }
}

function refuseOtherRepository(incoming: Incoming, { key, value }: Entry, repository: Uint8Array): void {
  const fault = faultIn(() => {
    if (equalBytes(repositoryId(value), repository)) return
    incoming.refuseEntry(key, { code: 'REPO_OTHER', reason: 'It is the genesis of another repository.' })
  })
  if (fault !== undefined) incoming.refuseEntry(key, fault)
}

/** Two streams with one id: whose they are tells people what to do. */
function refuseClash(incoming: Incoming, ours: Genesis, theirs: Entry, candidates: readonly Candidate[]): void {
  let other: Genesis | undefined
  const fault = faultIn(() => {
    other = decodeGenesis(theirs.value)
  })
  if (other === undefined || other.stream !== ours.stream) {
    const reason = fault?.reason ?? 'It is not the genesis that the id of its stream stands for.'
    incoming.refuseEntry(theirs.key, { code: fault?.code ?? 'CHAIN_BROKEN', reason })
    return
  }
  const [here, there] = [fingerprint(ours.publicKey), fingerprint(other.publicKey)]
  const clash: Fault = {
    code: 'STREAM_CLASH',
    reason: `Two streams have the id ${formatStream(ours.stream)}: one here, of the key ${here}, and one of the key ${there}.`,
  }
  incoming.refuseEntry(theirs.key, clash)
  for (const candidate of candidates) incoming.refuse(candidate, clash)
}

/** A genesis that is new here, unless something is wrong with it. */
function takeGenesis(
  incoming: Incoming,
  { key, value }: Entry,
  stream: number,
  repository: Uint8Array,
  candidates: readonly Candidate[],
): Genesis | undefined {
  let genesis: Genesis | undefined
  let fault = faultIn(() => {
    genesis = decodeGenesis(value)
  })
  if (genesis === undefined) {
    if (fault !== undefined) incoming.refuseEntry(key, fault)
    return undefined
  }
  const { id } = genesis
  fault = genesisFault(genesis, stream, repository)
  if (fault === undefined) return genesis
  incoming.refuseEntry(key, fault)
  // What begins with it can have no other.
  for (const candidate of candidates) {
    if (equalBytes(candidate.version.prev.id, id)) incoming.refuse(candidate, fault)
  }
  return undefined
}

/** Refuses what is not signed by the stream's key, or by one that may not sign; and what is wrong by itself. */
export function checkSignatures(incoming: Incoming, maySign: MaySign | undefined): void {
  const open = incoming.open.filter(({ genesis }) => genesis !== undefined)
  const queue = new SignatureQueue()
  open.forEach(({ genesis, version }, i) => {
    queue.put(i, (genesis as Genesis).publicKey, version.id, version.signature)
  })
  for (let batch = queue.take(); batch !== undefined; batch = queue.take()) {
    for (const i of wrongSignatures(batch)) {
      const reason = 'Its signature is not one of the key that its stream belongs to.'
      incoming.refuse(open[i] as Candidate, { code: 'SIGNATURE_BAD', reason })
    }
  }
  for (const candidate of open) {
    const { version, genesis, ref } = candidate
    let sources: readonly VersionRef[] = []
    const fault =
      faultIn(() => {
        sources = sourcesOf(version)
      }) ??
      headerFault(version, genesis as Genesis, sources) ??
      maySign?.((genesis as Genesis).publicKey, ref)
    if (fault !== undefined) incoming.refuse(candidate, fault)
  }
}

/** A version that follows one that has been gone on from. */
export interface Equivocation {
  /** As it is to be kept (evidence.ts). */
  readonly entry: Entry
  /** The other one, where it came in as well; else it is here. */
  readonly rival: Candidate | undefined
}

/**
 * Follows every stream from where it ends here. A second version behind one that has been gone on from is refused, and
 * told as evidence; one whose predecessor is not here is noted as missing it.
 *
 * @returns What is evidence if the other of the two versions is here or taken in.
 */
export async function followStreams(
  context: AdmitContext,
  incoming: Incoming,
  stored: StoredVersions,
): Promise<Equivocation[]> {
  const open = incoming.open
  await stored.load(open.flatMap(({ version }) => (version.prev.seq === 0 ? [] : [version.prev])))
  const tips = await findTips(context, incoming, stored)
  const evidence: Equivocation[] = []
  /** By what they follow, an id as a binary string. */
  const next = new Map<string, Candidate>()
  for (const candidate of open) {
    const { version, ref, genesis, entry } = candidate
    const { prev } = version
    const tip = tips.get(ref.stream)
    if (genesis === undefined) {
      candidate.missing.push(prev)
    } else if (tip === undefined ? prev.seq === 0 : isSame(prev, tip)) {
      tips.set(ref.stream, ref)
      next.set(toLatin1(prev.id), candidate)
    } else if (tip === undefined || prev.seq > tip.seq) {
      candidate.missing.push(prev)
    } else if (prev.seq === 0 || (prev.seq < tip.seq && (stored.has(prev) || next.has(toLatin1(prev.id))))) {
      const name = prev.seq === 0 ? 'the beginning of its stream' : formatLseq(prev.seq, prev.stream)
      const reason = `Its key signed two versions that come right after ${name}; the other one was first.`
      incoming.refuse(candidate, { code: 'EQUIVOCATION', reason })
      evidence.push({ entry: { key: evidenceKey(ref), value: entry.value }, rival: next.get(toLatin1(prev.id)) })
    } else if (incoming.find(prev) === undefined) {
      const reason = `It goes on from another ${formatLseq(prev.seq, prev.stream)} than the one in its stream here.`
      incoming.refuse(candidate, { code: 'EQUIVOCATION', reason })
    }
  }
  return evidence
}

function isSame(a: VersionRef, b: VersionRef): boolean {
  return a.seq === b.seq && a.stream === b.stream && equalBytes(a.id, b.id)
}

/** Where the streams end here. */
async function findTips(
  { entries, tips }: AdmitContext,
  incoming: Incoming,
  stored: StoredVersions,
): Promise<Map<number, VersionRef>> {
  const least = new Map<number, number>()
  for (const { genesis, version } of incoming.open) {
    const { stream, prev } = version
    if (genesis !== undefined) least.set(stream, Math.min(prev.seq, least.get(stream) ?? prev.seq))
  }
  // A stream whose genesis is new has no version here.
  for (const stream of incoming.begun.keys()) least.delete(stream)
  const seqs = new Map<number, number>()
  if (tips !== undefined) {
    for (const stream of least.keys()) seqs.set(stream, tips.get(stream) ?? 0)
  } else if (least.size > 0) {
    // What is older than all that came in cannot be the tip from which any of it goes on.
    const from = versionKey(
      [...least.values()].reduce((a, b) => Math.min(a, b)),
      0,
    )
    for await (const batch of entries.scan({ ...kindRange('V'), gte: from })) {
      for (let i = 0; i < batch.count; i++) {
        const { seq, stream } = lseqOfKey(batch.key(i))
        if (least.has(stream)) seqs.set(stream, seq)
      }
    }
  }
  const found = [...seqs].filter(([, seq]) => seq > 0).map(([stream, seq]) => ({ seq, stream }))
  await stored.load(found)
  return new Map(
    found.map((lseq) => {
      const id = stored.at(lseq)?.id
      if (id === undefined) throw new RangeError(`tips: expected versions, got ${formatLseq(lseq.seq, lseq.stream)}`)
      return [lseq.stream, { ...lseq, id }]
    }),
  )
}

/** Makes wait what stands on versions that are not here, and refuses what stands on them falsely. Gives the rest vectors. */
export async function followParents(
  { versions }: AdmitContext,
  incoming: Incoming,
  stored: StoredVersions,
): Promise<void> {
  await stored.load(incoming.open.flatMap(({ version }) => version.parents))
  const places = new Set(incoming.open.map(({ ref }) => formatLseq(ref.seq, ref.stream)))
  for (const candidate of incoming.open) {
    const { version, missing } = candidate
    for (const parent of version.parents) {
      if (incoming.find(parent) !== undefined || stored.has(parent)) continue
      const name = formatLseq(parent.seq, parent.stream)
      if (stored.at(parent) === undefined && !places.has(name)) missing.push(parent)
      else incoming.refuse(candidate, { code: 'CHAIN_BROKEN', reason: `Its parent ${name} has another id.` })
    }
    const names = new Map(missing.map((ref) => [toLatin1(ref.id), ref]))
    if (missing.length > 0) incoming.wait(candidate, [...names.values()])
  }
  incoming.settle()
  const vectors = new Map<string, Vector>()
  const { streams } = versions
  for (const candidate of incoming.open) {
    const { version, genesis, ref } = candidate
    let vector = Vector.empty
    for (const parent of version.parents) {
      const own = incoming.find(parent)
      const theirs = own?.state === 'open' ? own.vector : await stored.vectorOf(parent)
      vectors.set(toLatin1(parent.id), theirs)
      vector = vector.join(theirs)
    }
    const slot = streams.slot(ref.stream)
    const { prev } = version
    const past: Past = {
      tip: prev.seq === 0 ? undefined : prev,
      at: (lseq) => {
        const parent = version.parents.find(({ seq, stream }) => seq === lseq.seq && stream === lseq.stream)
        const own = parent && incoming.find(parent)
        return own === undefined ? stored.at(lseq) : { id: own.ref.id, isContent: own.version.tree !== undefined }
      },
      coversTip: ({ id }) => vectors.get(toLatin1(id))?.covers(slot, prev.seq) === true,
    }
    const fault = linkFault(version, genesis as Genesis, past)
    if (fault !== undefined) incoming.fail(candidate, fault)
    candidate.vector = vector.with(slot, ref.seq)
  }
  incoming.settle()
}
