/**
 * Renumbering: own streams that clash with somebody else's are given other ids, with all that stands in and upon them.
 *
 * Stream ids have 24 bits, and two geneses that nobody had seen together may share one. As long as nobody else has seen the
 * versions of one of them, these can be made anew: the same seqs, parents, authors, times, contents and lines, under
 * another stream id, signed again. What changes besides are hashes, and with them the ids of these versions and of all that
 * stand upon them.
 *
 * Order is all that lseqs are for, so nothing else may change: not which line comes first, not which write wins. A new id
 * therefore lies near the old one, with no stream of this store in between, and the lines of every file are checked to
 * stand as they stood.
 *
 * Nothing is written here. The answer is what has to go and what has to come, in one batch.
 * @module
 */
import { compareBytes, equalBytes, fromHex, fromLatin1, toHex, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { getOrMake } from '../base/map.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import type { Entry } from '../lseq/batch.js'
import type { EntryStore } from '../lseq/entries.js'
import { formatLseq, formatStream, LSEQ_BYTES, type Lseq, lseqOfKey } from '../lseq/lseq.js'
import { Streams } from '../lseq/vector.js'
import { decodeConflicts } from './conflict.js'
import { idKey } from './derived.js'
import { extraOf } from './extra.js'
import { beginStream, decodeGenesis, type Genesis } from './genesis.js'
import { Graph } from './graph.js'
import { changesRoot, encodeGroups, type Group, groupOf, sortGroups } from './groups.js'
import { encodeHeader, encodeVersion, type Version, type VersionRef } from './header.js'
import { genesisKey, groupsKey, isTombstoneKey, type Kind, kindRange, subjectLength, versionKey } from './keys.js'
import { CONFLICTS_EXTRA, decodeNote } from './note.js'
import { decodeRefValue } from './refs.js'
import { LineRenaming, Renaming } from './renaming.js'
import type { Writer } from './replica.js'
import { sourcesOf } from './sources.js'
import { treeRoot } from './tree.js'
import { type PathWrite, walkTrees } from './verify-contents.js'
import { Versions } from './versions.js'

/** What is to be renumbered. */
export interface RenumberRequest {
  readonly writer: Writer
  /** Ids of own streams. */
  readonly streams: readonly number[]
  /** Up to where versions have left this replica, or came from elsewhere: those cannot be made anew. */
  readonly published: readonly Lseq[]
  /** Ids that no stream may get: those of the other side. */
  readonly avoid?: Iterable<number> | undefined
  /** Source of nonces, for tests. */
  readonly random?: ((bytes: number) => Uint8Array) | undefined
}

/** What has to be done to a store. */
export interface Renumbering {
  readonly renaming: Renaming
  /** Versions that were made anew. */
  readonly versions: number
  /** Full keys that have to go, ascending. */
  readonly drop: readonly Uint8Array[]
  /** Entries that have to come, ascending; some under keys that go. */
  readonly add: readonly Entry[]
}

/** How often other ids are tried where lines would not stand as they stood. */
const TRIES = 16

/** Nonces tried for an id next to the old one, and as many for one that is farther away: one in 65,536 fits. */
const NONCES = 1 << 20

/**
 * Works out a renumbering. Reads the whole store, once or twice, and keeps what changes in memory.
 *
 * @throws {CodedError} `STREAM_CLASH` where a stream is not one's own, or somebody may have seen what would have to be
 *   made anew, or no other id is to be had.
 */
export async function renumber(entries: EntryStore, request: RenumberRequest): Promise<Renumbering> {
  const store = await StoreView.load(entries)
  for (const stream of request.streams) assertOwn(store, stream, request.writer)
  for (let tries = 1; ; tries++) {
    const geneses = chooseIds(store, request)
    const renaming = new Renaming(new Map([...geneses].map(([old, { stream }]) => [old, stream])))
    const collected = await collect(entries, store, renaming)
    if (collected !== undefined) {
      assertFree(store, collected.affected, request)
      return seal(entries, store, renaming, geneses, collected, request.writer)
    }
    if (tries === TRIES) throw noOtherId(request.streams)
  }
}

/** A version and on which others it depends. */
interface KnownVersion {
  readonly last: number
  readonly stream: number
  readonly id: Uint8Array
  readonly hasTree: boolean
  /** Numbers: of parents, of the one before, of those from which it took lines; later also of those that it names. */
  readonly on: Set<number>
}

/** What a store has, as far as renumbering must know all of it. */
class StoreView {
  readonly graph = new Graph(new Streams())
  readonly versions: KnownVersion[] = []
  readonly geneses = new Map<number, Genesis>()
  readonly #byId = new Map<string, number>()

  static async load(entries: EntryStore): Promise<StoreView> {
    const view = new StoreView()
    for await (const batch of entries.scan(kindRange('K'))) {
      for (const { key, value } of batch) {
        const { stream } = lseqOfKey(key)
        if (stream !== 0) view.geneses.set(stream, decodeGenesis(value))
      }
    }
    for await (const version of new Versions(entries, view.graph.streams).all()) view.#add(version)
    for await (const { key, value } of entriesOf(entries, 'R')) view.#noteRef(lseqOfKey(key), value)
    for await (const { key, value } of entriesOf(entries, 'N')) view.#noteConflicts(lseqOfKey(key), value)
    return view
  }

  #add(version: Version): void {
    const { number, parents, prev } = this.graph.add(version)
    const { last, stream, id, tree } = version
    const on = new Set(parents)
    if (prev > 0) on.add(prev)
    for (const source of sourcesOf(version)) this.#depend(on, source)
    this.versions.push({ last, stream, id, hasTree: tree !== undefined, on })
    this.#byId.set(toHex(id), number)
  }

  #noteRef(at: Lseq, value: Uint8Array): void {
    const { version } = decodeRefValue(value)
    const holder = this.holder(at)
    if (version !== undefined && holder !== undefined) this.#depend(this.version(holder).on, version)
  }

  #noteConflicts(at: Lseq, value: Uint8Array): void {
    const bytes = extraOf(decodeNote(value), CONFLICTS_EXTRA)
    const holder = bytes === undefined ? undefined : this.holder(at)
    if (bytes === undefined || holder === undefined) return
    const ids = decodeConflicts(bytes).flatMap(({ regions }) =>
      regions.flatMap(({ left, right }) => [...left.by, ...right.by].map(({ version }) => version)),
    )
    for (const id of ids) {
      const number = this.#byId.get(id)
      if (number !== undefined) this.version(holder).on.add(number)
    }
  }

  /** Notes a version that may not be here. */
  #depend(on: Set<number>, ref: VersionRef): void {
    const number = this.holder(ref)
    if (number !== undefined && equalBytes(this.version(number).id, ref.id)) on.add(number)
  }

  version(number: number): KnownVersion {
    return this.versions[number - 1] as KnownVersion
  }

  /** Number of the version that took an lseq. */
  holder({ seq, stream }: Lseq): number | undefined {
    const slot = this.graph.streams.find(stream)
    return slot === undefined ? undefined : this.graph.holding(slot, seq)
  }

  /** Numbers of all versions that depend on any of the given ones, these included. */
  dependants(seeds: Iterable<number>): Set<number> {
    const dependants = new Map<number, number[]>()
    this.versions.forEach(({ on }, i) => {
      for (const number of on) getOrMake(dependants, number, () => [] as number[]).push(i + 1)
    })
    const found = new Set(seeds)
    // A set is walked to its end, what is added meanwhile included.
    for (const number of found) for (const other of dependants.get(number) ?? []) found.add(other)
    return found
  }
}

async function* entriesOf(entries: EntryStore, kind: Kind): AsyncGenerator<Entry> {
  for await (const batch of entries.scan(kindRange(kind))) yield* batch
}

/** Whether a stream may be written by this writer here. */
function assertOwn(store: StoreView, stream: number, { signer, replica }: Writer): void {
  const genesis = store.geneses.get(stream)
  if (genesis === undefined) throw new TypeError(`stream: expected one that is here, got ${formatStream(stream)}`)
  if (replica.own.has(stream) && equalBytes(genesis.publicKey, signer.publicKey)) return
  throw new CodedError(
    'STREAM_CLASH',
    `The stream ${formatStream(stream)} was not begun here, and cannot be renumbered.`,
    {
      hint: 'Sync first with the replica that began it: that one can give it another number.',
      data: { stream: formatStream(stream) },
    },
  )
}

/** Refuses to make anew what somebody else has seen or signed. */
function assertFree(store: StoreView, affected: ReadonlySet<number>, { writer, published }: RenumberRequest): void {
  const seen = new Map(published.map(({ stream, seq }) => [stream, seq]))
  for (const number of affected) {
    const { last, stream } = store.version(number)
    const isOurs = equalBytes((store.geneses.get(stream) as Genesis).publicKey, writer.signer.publicKey)
    if (isOurs && writer.replica.own.has(stream) && last > (seen.get(stream) ?? 0)) continue
    const why = isOurs && writer.replica.own.has(stream) ? 'others have it already' : 'it was not made by you, here'
    throw new CodedError(
      'STREAM_CLASH',
      `The version ${formatLseq(last, stream)} would have to be made anew, and ${why}.`,
      {
        hint: 'Of two streams with one number only that can be renumbered which nobody else has seen.',
        data: { stream: formatStream(stream), seq: last },
      },
    )
  }
}

/** New beginnings for the streams, by old id. */
function chooseIds(store: StoreView, { writer, streams, avoid = [], random }: RenumberRequest): Map<number, Genesis> {
  const taken = new Set([0, ...store.geneses.keys(), ...avoid])
  const chosen = new Map<number, Genesis>()
  // Streams that stay, and new ids: between the old and the new id of a stream there must be none.
  const others = new Set([...store.geneses.keys()])
  for (const old of streams) {
    const { repository, kind } = store.geneses.get(old) as Genesis
    others.delete(old)
    const [low, high] = gap(others, old)
    const isFree = (stream: number): boolean => stream > low && stream < high && !taken.has(stream)
    const begin = (isWanted: (stream: number) => boolean): Genesis | undefined => {
      let left = NONCES
      const nonces = counting(random ?? crypto.randomBytes)
      const genesis = beginStream(repository, writer.signer.publicKey, kind, nonces, (stream) => {
        return left-- > 0 && !(isFree(stream) && isWanted(stream))
      })
      return left < 0 ? undefined : genesis
    }
    // Near: digits of positions that were chosen beside the old id then lie beside the new one, too.
    const genesis = begin((stream) => stream >> 8 === old >> 8) ?? begin(() => true)
    if (genesis === undefined) throw noOtherId(streams)
    chosen.set(old, genesis)
    others.add(genesis.stream)
    taken.add(genesis.stream)
  }
  return chosen
}

/** The nearest ids on both sides. */
function gap(ids: Iterable<number>, id: number): [low: number, high: number] {
  let low = 0
  let high = Number.POSITIVE_INFINITY
  for (const other of ids) {
    if (other < id) low = Math.max(low, other)
    else if (other > id) high = Math.min(high, other)
  }
  return [low, high]
}

/** Nonces that count on from a random one: a million of them are wanted. */
function counting(random: (bytes: number) => Uint8Array): (bytes: number) => Uint8Array {
  let nonce: Uint8Array | undefined
  return (bytes) => {
    nonce ??= Uint8Array.from(random(bytes))
    for (let at = bytes - 1; at >= 0; at--) {
      nonce[at] = (nonce[at] as number) + 1
      if (nonce[at] !== 0) break
    }
    return nonce
  }
}

function noOtherId(streams: readonly number[]): CodedError {
  return new CodedError(
    'STREAM_CLASH',
    `No other number is to be had for the stream ${streams.map(formatStream).join(', ')}.`,
    {
      hint: 'Try again; other numbers are tried then.',
    },
  )
}

/** An entry with the key that it will have. */
interface Moved {
  readonly old: Uint8Array
  readonly key: Uint8Array
  readonly was: Uint8Array
  /** What it will be, but for the ids of versions, which are not known yet. */
  readonly value: Uint8Array
}

interface Collected {
  readonly affected: ReadonlySet<number>
  /** Entries in groups, by version number. */
  readonly moved: ReadonlyMap<number, readonly Moved[]>
  readonly derived: readonly Moved[]
  /** By version number - 1, in path order, with values as they will be. */
  readonly paths: readonly (readonly PathWrite[] | undefined)[]
}

/**
 * Finds all that changes.
 *
 * @returns Undefined where lines would not stand as they stood.
 */
async function collect(entries: EntryStore, store: StoreView, renaming: Renaming): Promise<Collected | undefined> {
  const seeds = new Set<number>()
  store.versions.forEach(({ stream }, i) => {
    if (renaming.streams.has(stream)) seeds.add(i + 1)
  })
  for (;;) {
    const affected = store.dependants(seeds)
    const collector = new Collector(store, renaming, affected)
    for (const kind of ['B', 'C', 'I', 'L', 'N', 'P', 'R', 'X'] as const) {
      for await (const batch of entries.scan(kindRange(kind))) {
        for (const { key, value } of batch) if (!collector.take(kind, key, value)) return undefined
      }
    }
    if (collector.missed.size === 0) return { affected, ...collector }
    for (const number of collector.missed) seeds.add(number)
  }
}

/** Takes all entries, kind by kind in key order, and keeps those that change. */
class Collector {
  readonly moved = new Map<number, Moved[]>()
  readonly derived: Moved[] = []
  readonly paths: PathWrite[][]
  /** Versions that name a stream and were not known to. */
  readonly missed = new Set<number>()
  readonly #store: StoreView
  readonly #renaming: Renaming
  readonly #affected: ReadonlySet<number>
  readonly #lines: LineRenaming

  constructor(store: StoreView, renaming: Renaming, affected: ReadonlySet<number>) {
    this.#store = store
    this.#renaming = renaming
    this.#affected = affected
    this.#lines = new LineRenaming(renaming)
    this.paths = new Array(store.versions.length)
  }

  /** False where a line would not stand as it stood. */
  take(kind: Kind, old: Uint8Array, value: Uint8Array): boolean {
    const renaming = this.#renaming
    const key = kind === 'L' ? this.#lines.next(old) : renaming.key(old)
    if (key === undefined) return false
    const number = this.#store.holder(lseqOfKey(old))
    // What no version holds is damage, which verify tells of.
    if (number === undefined) return true
    if (kind === 'I' || kind === 'X') {
      const now = kind === 'X' ? renaming.vector(value) : value
      if (this.#affected.has(number)) this.derived.push({ old, key, was: value, value: now })
      return true
    }
    const now = this.#withStreams(kind, key, value)
    if (kind === 'P') this.#notePath(number, key, now)
    if (this.#affected.has(number))
      getOrMake(this.moved, number, () => [] as Moved[]).push({ old, key, was: value, value: now })
    else if (!equalBytes(old, key) || !equalBytes(value, now)) this.missed.add(number)
    return true
  }

  /** The value, but for the ids of versions that it names. */
  #withStreams(kind: Kind, key: Uint8Array, value: Uint8Array): Uint8Array {
    switch (kind) {
      case 'P':
        return this.#renaming.path(value)
      case 'L':
        return isTombstoneKey(key) ? this.#renaming.origins(value) : value
      case 'N':
        return this.#renaming.note(value)
      case 'R':
        return this.#renaming.refValue(value)
      default:
        return value
    }
  }

  #notePath(number: number, key: Uint8Array, value: Uint8Array): void {
    const { seq, stream } = lseqOfKey(key)
    const path = toLatin1(key, 1, key.length - LSEQ_BYTES - 1)
    const text = toLatin1(value)
    const isDeletion = text.startsWith(DELETED)
    let list = this.paths[number - 1]
    if (list === undefined) this.paths[number - 1] = list = []
    list.push({ number, path, value: isDeletion ? undefined : text, seq, stream })
  }
}

/** How the value of a path that was deleted begins: `x`, 8 bytes. */
const DELETED = 'x\x08'

/** Makes the versions anew, in causal order. */
function seal(
  entries: EntryStore,
  store: StoreView,
  renaming: Renaming,
  geneses: ReadonlyMap<number, Genesis>,
  collected: Collected,
  writer: Writer,
): Promise<Renumbering> {
  return new Sealing(entries, store, renaming, geneses, collected, writer).run()
}

class Sealing {
  readonly #drop: Uint8Array[] = []
  readonly #add: Entry[] = []
  readonly #entries: EntryStore
  readonly #store: StoreView
  readonly #renaming: Renaming
  readonly #geneses: ReadonlyMap<number, Genesis>
  readonly #collected: Collected
  readonly #writer: Writer

  constructor(
    entries: EntryStore,
    store: StoreView,
    renaming: Renaming,
    geneses: ReadonlyMap<number, Genesis>,
    collected: Collected,
    writer: Writer,
  ) {
    this.#entries = entries
    this.#store = store
    this.#renaming = renaming
    this.#geneses = geneses
    this.#collected = collected
    this.#writer = writer
  }

  async run(): Promise<Renumbering> {
    const { affected, paths, derived } = this.#collected
    const versions = new Versions(this.#entries, this.#store.graph.streams)
    for (const [old, { stream, value }] of this.#geneses) {
      this.#drop.push(genesisKey(old))
      this.#add.push({ key: genesisKey(stream), value })
    }
    const needsTrees = [...affected].some((number) => this.#store.version(number).hasTree)
    const trees = needsTrees ? walkTrees(this.#store.graph, { byVersion: paths }) : undefined
    for (let number = 1; number <= this.#store.versions.length; number++) {
      const tree = trees?.next().value?.tree
      if (!affected.has(number)) continue
      const { last, stream, hasTree } = this.#store.version(number)
      const root = hasTree && tree !== undefined ? fromLatin1(treeRoot(tree)) : undefined
      this.#version(number, await versions.expect({ seq: last, stream }), root)
    }
    for (const entry of derived) this.#derived(entry)
    this.#drop.sort(compareBytes)
    this.#add.sort((a, b) => compareBytes(a.key, b.key))
    return { renaming: this.#renaming, versions: affected.size, drop: this.#drop, add: this.#add }
  }

  #version(number: number, version: Version, tree: Uint8Array | undefined): void {
    const { stream: old, last, id } = version
    const stream = this.#renaming.stream(old)
    const moved = this.#collected.moved.get(number) ?? []
    const signed = changesRoot(groupsOf(moved.map(({ old: key, was: value }) => ({ key, value }))))
    if (signed !== toLatin1(version.changes)) throw damaged(version)
    const entries = moved.map(({ key, value }) => ({ key, value: this.#withIds(key, value) }))
    const listed = groupsOf(entries)
    moved.forEach(({ old: key, was }, i) => {
      const entry = entries[i] as Entry
      // What is as it was may stay where it is.
      if (!equalBytes(key, entry.key) || !equalBytes(was, entry.value)) this.#put(key, entry)
    })
    const { prev } = version
    const genesis = prev.seq === 0 ? this.#geneses.get(old) : undefined
    const header = encodeHeader({
      ...version,
      stream,
      prev: genesis === undefined ? this.#renaming.ref(prev) : { seq: 0, stream, id: genesis.id },
      parents: version.parents.map((parent) => this.#renaming.ref(parent)),
      tree,
      changes: fromLatin1(changesRoot(listed)),
      extra: this.#renaming.extra(version.extra),
    })
    const now = crypto.sha256(header)
    this.#renaming.ids.set(toHex(id), toHex(now))
    if (listed.length > 0) {
      this.#put(groupsKey(last, old), { key: groupsKey(last, stream), value: encodeGroups(listed) })
    }
    const value = encodeVersion(header, this.#writer.signer.sign(now))
    this.#put(versionKey(last, old), { key: versionKey(last, stream), value })
  }

  #withIds(key: Uint8Array, value: Uint8Array): Uint8Array {
    if (key[0] === NOTE) return this.#renaming.note(value)
    // Streams have been renamed already; as new ids are never old ones, doing so again changes nothing.
    return key[0] === REF ? this.#renaming.refValue(value) : value
  }

  #derived({ old, key, value }: Moved): void {
    const { seq, stream } = lseqOfKey(key)
    if (key[0] === INDEX && key[1] === BY_VERSION) {
      const number = this.#store.holder(lseqOfKey(old)) as number
      const id = fromHex(this.#renaming.id(toHex(this.#store.version(number).id))) as Uint8Array
      this.#put(old, { key: idKey('v', id, seq, stream), value })
    } else this.#put(old, { key, value })
  }

  #put(old: Uint8Array, entry: Entry): void {
    this.#drop.push(old)
    this.#add.push(entry)
  }
}

/** The groups of a version's entries. */
function groupsOf(entries: readonly Entry[]): Group[] {
  const groups = new Map<string, Entry[]>()
  for (const entry of entries) {
    getOrMake(groups, toLatin1(entry.key, 0, subjectLength(entry.key)), () => [] as Entry[]).push(entry)
  }
  return sortGroups(
    [...groups].map(([name, list]) =>
      groupOf(
        name,
        list.sort((a, b) => compareBytes(a.key, b.key)),
      ),
    ),
  )
}

/** Signing anew must not make good what is damaged. */
function damaged({ last, stream }: Version): CodedError {
  return new CodedError('CONTENT_DAMAGED', `The version ${formatLseq(last, stream)} is not as it was signed.`, {
    hint: 'Run `weft verify` to see what is damaged.',
  })
}

const NOTE = 'N'.charCodeAt(0)
const REF = 'R'.charCodeAt(0)
const INDEX = 'I'.charCodeAt(0)
const BY_VERSION = 'v'.charCodeAt(0)
