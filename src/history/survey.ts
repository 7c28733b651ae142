/**
 * What of a damaged store holds: which versions are as they were signed, with all that they added, and which may have been
 * lost.
 *
 * Verification (verify.ts) names damage; this finds what damage it does. A version *holds* when its header is at its place and
 * its signature is that of its stream's key; it is *whole* when what is there of it gives the root that it signed. What a
 * header that holds says of others, their place and id, is known of them even where they are gone.
 *
 * Beside that there are *hints*: places at which a version may have been, by the keys of its list of groups, its note, its
 * index, or a name that leads there. They say what to ask for, and nothing else.
 * @module
 */
import { equalBytes, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { getOrMake } from '../base/map.js'
import type { DigestString } from '../crypto/crypto.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { leafDigest, MerkleBuilder } from '../crypto/merkle.js'
import type { Entry, EntryBatch } from '../lseq/batch.js'
import type { EntryStore } from '../lseq/entries.js'
import { formatLseq, LSEQ_BYTES, type Lseq, lseqOfKey } from '../lseq/lseq.js'
import type { PageDamage } from '../lseq/pages.js'
import { ID_PREFIX } from './derived.js'
import { decodeGenesis, type Genesis, repositoryId } from './genesis.js'
import { changesRoot, encodeGroups, type Group, sortGroups } from './groups.js'
import { decodeVersion, type Version, type VersionRef } from './header.js'
import { type Kind, kindRange, strangeRanges, subjectLength, versionKey } from './keys.js'
import { recordedTips, type Tip, Tips, tipOf } from './published.js'
import { decodeRefValue } from './refs.js'

/** Kinds of entries that are in groups, in key order. */
export const GROUPED: readonly Kind[] = ['B', 'C', 'L', 'N', 'P', 'R']

/** A version that holds. */
export interface HeldVersion {
  readonly version: Version
  /** Value of its entry. */
  readonly value: Uint8Array
  /** Its groups by what is there of it, in order of names; those that it signed where it is whole. */
  groups: readonly Group[]
  isWhole: boolean
}

/** Bytes of the key of an index of ids, and what says that they are those of versions. */
const ID_KEY_BYTES = 2 + ID_PREFIX + LSEQ_BYTES
const BY_VERSION = 'v'.charCodeAt(0)

/** What there is in a store. */
export class Survey {
  /** Those that hold, by stream. */
  readonly geneses = new Map<number, Genesis>()
  /** Id of the repository; undefined where nothing tells. */
  repository: Uint8Array | undefined
  /** Whether the repository's own genesis is there. */
  hasRepository = false
  /** Versions that hold, by lseq as text. */
  readonly held = new Map<string, HeldVersion>()
  /** Headers that can be read and are at their place, of which it is not known yet whether they hold. */
  readonly read = new Map<string, { readonly version: Version; readonly value: Uint8Array }>()
  /** Keys of version entries that are none, or belong elsewhere. */
  readonly strangers: Uint8Array[] = []
  /** Places at which a version may be missing. */
  readonly hints = new Map<string, Lseq>()
  /** By what each of them shows, as far as it is an entry of the version's own: kinds, and `tip` for what was published. */
  readonly evidence = new Map<string, Set<string>>()
  /** First bytes of the ids of versions at some places, as an index or the record of what is published has them. */
  readonly checks = new Map<string, Uint8Array>()
  readonly pages: PageDamage[] = []
  /** What names stand at, by the lseq of the version that moved them, as text. */
  readonly #refs = new Map<string, VersionRef[]>()

  /** Reads all of a store but what is derived. */
  static async of(entries: EntryStore): Promise<Survey> {
    const survey = new Survey()
    await survey.#readGeneses(entries)
    await survey.#readVersions(entries)
    survey.settle()
    await survey.#readHints(entries)
    await survey.readGroups(entries)
    return survey
  }

  /** Tells of damaged pages, each once. */
  async *scan(
    entries: EntryStore,
    what: Kind | { gte: Uint8Array; lt: Uint8Array | undefined },
  ): AsyncGenerator<EntryBatch> {
    const range = typeof what === 'string' ? kindRange(what) : what
    const onDamage = (damage: PageDamage): void => {
      if (!this.pages.some(({ last }) => equalBytes(last, damage.last))) this.pages.push(damage)
    }
    yield* entries.scan({ ...range, onDamage })
  }

  /** Takes headers whose stream's genesis is known by now for versions that hold, if they are signed. */
  settle(): void {
    for (const [name, { version, value }] of this.read) {
      const genesis = this.geneses.get(version.stream)
      if (genesis === undefined) continue
      this.read.delete(name)
      if (isSigned(version, genesis)) this.held.set(name, { version, value, groups: [], isWhole: false })
      else this.strangers.push(versionKey(version.last, version.stream))
    }
  }

  /** Of each stream, the last of the versions that are whole from its beginning on. */
  prefixes(): Tips {
    const whole = [...this.held.values()].filter(({ isWhole }) => isWhole)
    const next = new Map(whole.map(({ version }) => [formatLseq(version.prev.seq, version.stream), version]))
    const tips: Tip[] = []
    for (const stream of new Set(whole.map(({ version }) => version.stream))) {
      let last: Version | undefined
      for (let at = next.get(formatLseq(0, stream)); at !== undefined; at = next.get(formatLseq(at.last, stream)))
        last = at
      if (last !== undefined) tips.push(tipOf({ seq: last.last, stream, id: last.id }))
    }
    return new Tips(tips)
  }

  /** Versions on which those that hold stand, by place. */
  linked(): Map<string, VersionRef> {
    const found = new Map<string, VersionRef>()
    for (const { version } of this.held.values()) for (const ref of [version.prev, ...version.parents]) put(ref)
    return found

    function put(ref: VersionRef): void {
      if (ref.seq > 0) found.set(formatLseq(ref.seq, ref.stream), ref)
    }
  }

  /** What names stood at at any time, as versions say that are whole. */
  refs(): VersionRef[] {
    return [...this.#refs].flatMap(([name, refs]) => (this.held.get(name)?.isWhole === true ? refs : []))
  }

  async #readGeneses(entries: EntryStore): Promise<void> {
    for await (const batch of this.scan(entries, 'K')) {
      for (const { key, value } of batch) {
        const { seq, stream } = lseqOfKey(key)
        if (seq === 0 && stream === 0) {
          const id = expected(() => repositoryId(value))
          this.repository = id
          this.hasRepository = id !== undefined
          continue
        }
        const genesis = expected(() => decodeGenesis(value))
        if (genesis !== undefined && seq === 0 && genesis.stream === stream) this.geneses.set(stream, genesis)
      }
    }
    // Whichever repository most streams name is this one: a changed genesis is alone with what it says.
    const votes = new Map<string, { id: Uint8Array; count: number }>()
    for (const { repository } of this.geneses.values()) {
      getOrMake(votes, toLatin1(repository), () => ({ id: repository, count: 0 })).count++
    }
    const [most] = [...votes.values()].sort((a, b) => b.count - a.count)
    if (most === undefined) return
    if (this.repository !== undefined && !equalBytes(this.repository, most.id)) this.hasRepository = false
    this.repository = most.id
    for (const [stream, { repository }] of this.geneses)
      if (!equalBytes(repository, most.id)) this.geneses.delete(stream)
  }

  async #readVersions(entries: EntryStore): Promise<void> {
    for await (const batch of this.scan(entries, 'V')) {
      for (const { key, value } of batch) {
        const version = expected(() => decodeVersion(value))
        const isAtPlace = version !== undefined && equalBytes(versionKey(version.last, version.stream), key)
        if (isAtPlace)
          this.read.set(formatLseq(version.last, version.stream), { version, value: Uint8Array.from(value) })
        else this.strangers.push(Uint8Array.from(key))
      }
    }
  }

  async #readHints(entries: EntryStore): Promise<void> {
    const hint = ({ seq, stream }: Lseq, by?: string): void => {
      const name = formatLseq(seq, stream)
      if (seq === 0 || stream === 0 || this.held.has(name)) return
      this.hints.set(name, { seq, stream })
      if (by !== undefined) getOrMake(this.evidence, name, () => new Set()).add(by)
    }
    for (const kind of ['G', 'N', 'X', 'I'] as const) {
      for await (const batch of this.scan(entries, kind)) {
        for (let i = 0; i < batch.count; i++) {
          const key = batch.key(i)
          const { seq, stream } = lseqOfKey(key)
          hint({ seq, stream }, kind)
          const isId = kind === 'I' && key.length === ID_KEY_BYTES && key[1] === BY_VERSION
          if (isId) this.checks.set(formatLseq(seq, stream), key.slice(2, 2 + ID_PREFIX))
        }
      }
    }
    for await (const batch of this.scan(entries, 'R')) {
      for (let i = 0; i < batch.count; i++) {
        const value = expected(() => decodeRefValue(batch.value(i)))
        // A name that was moved on may well name what never was here.
        if (value?.version !== undefined) hint(value.version)
      }
    }
    for (const key of this.strangers) hint(lseqOfKey(key), 'V')
    for (const tip of await publishedOf(entries)) {
      hint(tip, 'tip')
      const check = new Uint8Array(4)
      new DataView(check.buffer).setUint32(0, tip.check)
      const name = formatLseq(tip.seq, tip.stream)
      if (!this.checks.has(name)) this.checks.set(name, check)
    }
  }

  /** Finds out of all versions that hold whether they are whole. */
  async readGroups(entries: EntryStore): Promise<void> {
    const blocks = new Blocks([...this.held.values()].map(({ version }) => version))
    const groups = new Map<string, Group[]>()
    const open = new Map<string, MerkleBuilder>()
    let subject = ''
    const flush = (): void => {
      for (const [name, builder] of open)
        getOrMake(groups, name, () => []).push({ name: subject, digest: builder.root() })
      open.clear()
    }
    for (const kind of GROUPED) {
      for await (const batch of this.scan(entries, kind)) {
        for (const { key, value } of batch) {
          const length = expected(() => subjectLength(key))
          const holder = length === undefined ? undefined : blocks.holding(lseqOfKey(key))
          if (length === undefined || holder === undefined) continue
          if (kind === 'R') this.#readRef(holder, value)
          const name = toLatin1(key, 0, length)
          if (name !== subject) {
            flush()
            subject = name
          }
          const builder = getOrMake(open, formatLseq(holder.last, holder.stream), () => new MerkleBuilder())
          builder.push(leafDigest(toLatin1(key), crypto.sha256Binary(value)))
        }
      }
    }
    flush()
    for (const [name, held] of this.held) {
      held.groups = sortGroups(groups.get(name) ?? [])
      held.isWhole = changesRoot(held.groups) === toLatin1(held.version.changes)
    }
    // Pages of entries of no known kind may be damaged, too.
    for (const range of strangeRanges()) for await (const _ of this.scan(entries, range));
  }

  #readRef({ last, stream }: Version, value: Uint8Array): void {
    const ref = expected(() => decodeRefValue(value))?.version
    if (ref !== undefined) getOrMake(this.#refs, formatLseq(last, stream), () => []).push(ref)
  }
}

/** What was published, as far as the record of it can be read. */
async function publishedOf(entries: EntryStore): Promise<Iterable<Tip>> {
  try {
    return await recordedTips(entries)
  } catch (error) {
    if (error instanceof CodedError) return []
    throw error
  }
}

/** Finds versions by the blocks of seqs that they took. */
export class Blocks {
  readonly #byStream = new Map<number, Version[]>()

  constructor(versions: readonly Version[]) {
    for (const version of versions) getOrMake(this.#byStream, version.stream, () => []).push(version)
    for (const list of this.#byStream.values()) list.sort((a, b) => a.last - b.last)
  }

  /** The version that took an lseq. */
  holding({ seq, stream }: Lseq): Version | undefined {
    const list = this.#byStream.get(stream)
    if (list === undefined) return undefined
    let low = 0
    let high = list.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((list[middle] as Version).last < seq) low = middle + 1
      else high = middle
    }
    const found = list[low]
    return found !== undefined && found.first <= seq ? found : undefined
  }
}

/** Whether a version is signed with the key of its stream, and follows its genesis where it is the first. */
export function isSigned(version: Version, genesis: Genesis): boolean {
  const { id, signature, prev, tree } = version
  if (prev.seq === 0 && !equalBytes(prev.id, genesis.id)) return false
  if ((genesis.kind === 'content') !== (tree !== undefined)) return false
  return crypto.ed25519.verify(genesis.publicKey, id, signature)
}

/** Groups of a version's entries, those of its list left out. */
export function groupsIn(entries: readonly Entry[]): Group[] {
  const builders = new Map<string, MerkleBuilder>()
  for (const { key, value } of entries) {
    const name = toLatin1(key, 0, subjectLength(key))
    const leaf: DigestString = leafDigest(toLatin1(key), crypto.sha256Binary(value))
    getOrMake(builders, name, () => new MerkleBuilder()).push(leaf)
  }
  return sortGroups([...builders].map(([name, builder]) => ({ name, digest: builder.root() })))
}

/** The value of the entry that lists groups; undefined where there are none. */
export function listOf(groups: readonly Group[]): Uint8Array | undefined {
  return groups.length === 0 ? undefined : encodeGroups(groups)
}

/** What `work` gives; undefined where it fails as it may. */
export function expected<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof CodedError) return undefined
    throw error
  }
}
