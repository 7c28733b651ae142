/**
 * Repair: versions that are damaged are fetched again from somebody who has them, and put in the place of what is wrong.
 *
 * What comes is taken only where what is here says that it is right: a header whose id a header that holds names, or that is
 * here itself; or one that is signed with the key of its stream and follows a version that holds. The entries must give the
 * root that the header signs. Lists of groups and indexes are not taken from anybody, but made again.
 *
 * Changed is what differs, and nothing else: damaged pages, entries that are wrong or of nobody, entries that are missing. All
 * of it is one batch, so that a repair that is interrupted has not begun.
 * @module
 */
import { compareBytes, equalBytes, startsWith, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { Entry } from '../lseq/batch.js'
import type { EntryStore } from '../lseq/entries.js'
import { compareLseq, formatLseq, type Lseq, lseqOfKey } from '../lseq/lseq.js'
import { PageEdits } from '../lseq/page-edits.js'
import type { Operation } from '../lseq/store.js'
import { deriveAll, isDerived } from './derived.js'
import { decodeGenesis, type Genesis, repositoryId } from './genesis.js'
import { changesRoot, type Group } from './groups.js'
import { decodeVersion, type Version, type VersionRef } from './header.js'
import { genesisKey, groupsKey, strangeRanges, subjectLength, versionKey } from './keys.js'
import { decodeRefValue } from './refs.js'
import { Blocks, expected, GROUPED, groupsIn, isSigned, listOf, Survey } from './survey.js'

/** Where versions are fetched from. */
export interface RepairSource {
  /** All entries of those of the wanted versions that are there, and maybe of others. */
  fetch(repository: Uint8Array, wanted: readonly Lseq[]): Promise<readonly Entry[]>
  /** The id of the repository that is there, and the value of its own genesis. */
  repository(): Promise<{ readonly id: Uint8Array; readonly genesis: Uint8Array | undefined }>
}

/** What a repair did. */
export interface Repaired {
  /** Lseqs of the versions that were fetched and taken, as text. */
  readonly fetched: readonly string[]
  /** Those that are missing or damaged still. */
  readonly left: readonly string[]
  /** Those of which the source has another version than was here. */
  readonly others: readonly string[]
  /** Damaged pages that were replaced. */
  readonly pages: number
  /** Entries that were put, and taken out. */
  readonly put: number
  readonly removed: number
}

/** A version that came, with all that it added. */
interface Offer {
  readonly version: Version
  readonly value: Uint8Array
  /** What is in groups, in key order. */
  readonly entries: readonly Entry[]
  readonly groups: readonly Group[]
}

/**
 * Repairs a store's entries.
 *
 * @throws {CodedError} What the source and the store throw. Nothing has been changed then.
 */
export async function repairEntries(entries: EntryStore, source: RepairSource): Promise<Repaired> {
  const repair = new Repair(entries, await Survey.of(entries), source)
  await repair.findRepository()
  await repair.fetchGeneses()
  await repair.fetchVersions()
  return repair.write()
}

class Repair {
  readonly #entries: EntryStore
  readonly #survey: Survey
  readonly #source: RepairSource
  readonly #asked = new Set<string>()
  /** Versions that came and have not been taken, by lseq as text. */
  readonly #offers = new Map<string, Offer>()
  /** Versions that were taken. */
  readonly #taken = new Map<string, Offer>()
  /** Geneses that came. */
  readonly #geneses = new Map<number, Genesis>()
  #repositoryGenesis: Uint8Array | undefined

  constructor(entries: EntryStore, survey: Survey, source: RepairSource) {
    this.#entries = entries
    this.#survey = survey
    this.#source = source
  }

  /** Learns which repository this is, where its own genesis is damaged. */
  async findRepository(): Promise<void> {
    const survey = this.#survey
    if (survey.hasRepository) return
    const { id, genesis } = await this.#source.repository()
    // Where all geneses are lost, those that come have to be the ones that versions here name, and they name the repository.
    const repository = survey.repository ?? id
    survey.repository = repository
    const own = genesis && expected(() => repositoryId(genesis))
    if (own !== undefined && equalBytes(own, repository)) this.#repositoryGenesis = genesis
  }

  /** Fetches the first versions of streams whose genesis is damaged: it comes with them. */
  async fetchGeneses(): Promise<void> {
    const { read } = this.#survey
    const first = [...read.values()].filter(({ version }) => version.prev.seq === 0)
    if (first.length === 0) return
    await this.#ask(first.map(({ version }) => ({ seq: version.last, stream: version.stream })))
    this.#settle()
    // Of headers that hold now it has to be found out what there is of them.
    await this.#survey.readGroups(this.#entries)
  }

  /** Fetches what is damaged, and what turns out to be missing then. */
  async fetchVersions(): Promise<void> {
    for (;;) {
      const { held, hints, read } = this.#survey
      const wanted = new Map<string, Lseq>(hints)
      for (const [name, ref] of this.#named()) wanted.set(name, ref)
      for (const [name, { version }] of [...held, ...read])
        wanted.set(name, { seq: version.last, stream: version.stream })
      const open = [...wanted].filter(([name]) => !this.#isWhole(name) && !this.#asked.has(name))
      if (open.length === 0) return
      await this.#ask(open.map(([, lseq]) => lseq))
      this.#settle()
    }
  }

  #isWhole(name: string): boolean {
    return this.#taken.has(name) || this.#survey.held.get(name)?.isWhole === true
  }

  /**
   * Versions that others name: those that hold, those that were taken, and those that came under an id that is named, since
   * what has that id is that header, whoever sent it.
   */
  #named(): Map<string, VersionRef> {
    const named = new Map<string, VersionRef>()
    const survey = [...this.#survey.linked().values(), ...this.#survey.refs()]
    const todo = [...survey, ...[...this.#taken.values()].flatMap(namedBy)]
    for (let ref = todo.pop(); ref !== undefined; ref = todo.pop()) {
      const name = formatLseq(ref.seq, ref.stream)
      named.set(name, ref)
      const offer = this.#offers.get(name)?.version
      if (offer === undefined || !equalBytes(offer.id, ref.id)) continue
      for (const next of refsOf(offer)) if (!named.has(formatLseq(next.seq, next.stream))) todo.push(next)
    }
    return named
  }

  /** Versions on which others stand. What a name stood at may never have been here. */
  #linked(): Map<string, VersionRef> {
    const linked = this.#survey.linked()
    for (const { version } of this.#taken.values()) {
      for (const ref of refsOf(version)) linked.set(formatLseq(ref.seq, ref.stream), ref)
    }
    return linked
  }

  async #ask(wanted: readonly Lseq[]): Promise<void> {
    const { repository } = this.#survey
    if (wanted.length === 0 || repository === undefined) return
    for (const { seq, stream } of wanted) this.#asked.add(formatLseq(seq, stream))
    const came = await this.#source.fetch(repository, [...wanted].sort(compareLseq))
    for (const { key, value } of came) {
      if (key[0] !== GENESIS) continue
      const genesis = expected(() => decodeGenesis(value))
      if (genesis !== undefined && equalBytes(genesis.repository, repository))
        this.#geneses.set(genesis.stream, genesis)
    }
    for (const offer of offersIn(came)) {
      const name = formatLseq(offer.version.last, offer.version.stream)
      if (this.#asked.has(name) && !this.#isWhole(name)) this.#offers.set(name, offer)
    }
  }

  /** Takes what came and is known to be right, until that makes nothing else known. */
  #settle(): void {
    for (let isProgress = true; isProgress; ) {
      isProgress = this.#settleGeneses()
      this.#survey.settle()
      const named = this.#named()
      for (const [name, offer] of [...this.#offers].sort(([, a], [, b]) => compareVersions(a.version, b.version))) {
        if (!this.#isRight(name, offer, named.get(name)?.id)) continue
        this.#offers.delete(name)
        this.#taken.set(name, offer)
        isProgress = true
      }
    }
  }

  /** A genesis is right if a version that is here, or is named by one that holds, follows it. */
  #settleGeneses(): boolean {
    const { geneses, read } = this.#survey
    const named = this.#named()
    const firsts = [...read.values()].map(({ version }) => version)
    for (const [name, { version }] of this.#offers) {
      const id = named.get(name)?.id
      if (id !== undefined && equalBytes(id, version.id)) firsts.push(version)
    }
    let isProgress = false
    for (const { stream, prev } of firsts) {
      const genesis = this.#geneses.get(stream)
      if (prev.seq !== 0 || geneses.has(stream) || genesis === undefined || !equalBytes(genesis.id, prev.id)) continue
      geneses.set(stream, genesis)
      isProgress = true
    }
    return isProgress
  }

  /** Whether a version that came is the one that belongs at its place. */
  #isRight(name: string, { version }: Offer, named: Uint8Array | undefined): boolean {
    const genesis = this.#survey.geneses.get(version.stream)
    if (genesis === undefined || !isSigned(version, genesis)) return false
    if (named !== undefined) return equalBytes(named, version.id)
    const here = this.#survey.held.get(name)?.version
    if (here !== undefined) return equalBytes(here.id, version.id)
    const check = this.#survey.checks.get(name)
    if (check !== undefined && !startsWith(version.id, check)) return false
    const { prev, stream } = version
    if (prev.seq === 0) return true
    const before = formatLseq(prev.seq, stream)
    const id = (this.#survey.held.get(before)?.version ?? this.#taken.get(before)?.version)?.id
    return id !== undefined && equalBytes(id, prev.id)
  }

  /** Writes what differs. */
  async write(): Promise<Repaired> {
    const edits = new PageEdits(this.#entries.store)
    const { pages } = this.#survey
    const derived = pages.filter(({ last }) => isDerived(last))
    for (const { last } of pages) if (!isDerived(last)) await edits.drop(last)
    const { put, removed } = await this.#differences()
    for (const key of removed) await edits.remove(key)
    const operations = await edits.finish(put)
    await this.#batch(operations)
    if (derived.length > 0 || this.#taken.size > 0) await this.#derive(derived.map(({ last }) => last))
    return {
      fetched: [...this.#taken.values()].map(({ version }) => formatLseq(version.last, version.stream)),
      left: this.#left(),
      others: this.#others(),
      pages: pages.length,
      put: put.length,
      removed: removed.length,
    }
  }

  /** Versions that are known to have been there, and are not whole. */
  #left(): string[] {
    const { held, read, hints } = this.#survey
    const names = new Set([...held.keys(), ...read.keys(), ...this.#linked().keys()])
    for (const name of hints.keys()) if (this.#mayBeMissing(name)) names.add(name)
    return [...names].filter((name) => !this.#isWhole(name)).sort()
  }

  /** Places at which another version came than was here, by all that is left of it. */
  #others(): string[] {
    const named = this.#named()
    const { checks, held } = this.#survey
    const found = [...this.#offers].filter(
      ([
        name,
        {
          version: { id },
        },
      ]) => {
        const known = named.get(name)?.id ?? held.get(name)?.version.id ?? checks.get(name)
        return known !== undefined && !startsWith(id, known)
      },
    )
    return found.map(([name]) => name).sort()
  }

  /**
   * Whether there was a version at a hint: what is left of it shows in two ways, or in one and its header may have been in a
   * page that is lost. One entry alone is an entry that came there by damage to its key.
   */
  #mayBeMissing(name: string): boolean {
    const { evidence, hints } = this.#survey
    const by = evidence.get(name)
    const lseq = hints.get(name)
    if (by === undefined || lseq === undefined || this.#isWhole(name)) return false
    return by.has('tip') || by.size > 1 || this.#isLost(versionKey(lseq.seq, lseq.stream))
  }

  async #batch(operations: readonly Operation[]): Promise<void> {
    if (operations.length === 0) return
    await this.#entries.foreign(() => this.#entries.store.batch(operations, { sync: true }))
  }

  /** Entries that are missing or wrong, beside what should be there. */
  async #differences(): Promise<{ put: Entry[]; removed: Uint8Array[] }> {
    const right = this.#right()
    const removed: Uint8Array[] = []
    const survey = this.#survey
    const isOurs = this.#owners()
    for (const kind of ['K', 'V', 'G', ...GROUPED] as const) {
      for await (const batch of survey.scan(this.#entries, kind)) {
        for (const { key, value } of batch) {
          const name = toLatin1(key)
          const wanted = right.get(name)
          if (wanted !== undefined && equalBytes(wanted, value)) right.delete(name)
          else if (wanted !== undefined || isOurs(kind, key)) removed.push(Uint8Array.from(key))
        }
      }
    }
    for (const range of strangeRanges()) {
      for await (const batch of survey.scan(this.#entries, range))
        for (const { key } of batch) removed.push(Uint8Array.from(key))
    }
    const put = [...right].map(([name, value]) => ({ key: Buffer.from(name, 'latin1') as Uint8Array, value }))
    return { put: put.sort((a, b) => compareBytes(a.key, b.key)), removed }
  }

  /** By key, a binary string: what is known to belong into the store, of all that may be wrong in it. */
  #right(): Map<string, Uint8Array> {
    const { geneses, held } = this.#survey
    const right = new Map<string, Uint8Array>()
    const put = (key: Uint8Array, value: Uint8Array): void => void right.set(toLatin1(key), value)
    if (this.#repositoryGenesis !== undefined) put(genesisKey(0), this.#repositoryGenesis)
    for (const { stream, value } of geneses.values()) put(genesisKey(stream), value)
    const lists = [...held.values()].filter(({ isWhole, version }) => isWhole && !this.#taken.has(nameOf(version)))
    for (const { version, value, groups } of [...lists, ...this.#taken.values()]) {
      const { last, stream } = version
      put(versionKey(last, stream), value)
      const list = listOf(groups)
      if (list !== undefined) put(groupsKey(last, stream), list)
    }
    for (const { entries } of this.#taken.values()) for (const { key, value } of entries) put(key, value)
    return right
  }

  /**
   * Tells of an entry that is not among what is right whether it may be taken out: something else is known to belong there, or
   * nobody's it is, and no version is missing that it could be of.
   */
  #owners(): (kind: string, key: Uint8Array) => boolean {
    const { held, read, geneses, hints } = this.#survey
    const blocks = new Blocks([...held.values(), ...this.#taken.values()].map(({ version }) => version))
    // The greatest place in each stream at which a version is missing.
    const missing = new Map<number, number>()
    const miss = ({ seq, stream }: Lseq): void => void missing.set(stream, Math.max(seq, missing.get(stream) ?? 0))
    for (const { version } of read.values()) miss({ seq: version.last, stream: version.stream })
    for (const [name, ref] of this.#linked()) if (!this.#isWhole(name)) miss(ref)
    for (const [name, lseq] of hints) if (this.#mayBeMissing(name)) miss(lseq)
    return (kind, key) => {
      const lseq = lseqOfKey(key)
      const isNobodys = (missing.get(lseq.stream) ?? 0) < lseq.seq
      if (kind === 'K' && lseq.seq !== 0) return true
      if (kind === 'K') return lseq.stream !== 0 && !geneses.has(lseq.stream) && !missing.has(lseq.stream)
      if (kind === 'V') return isNobodys && !held.has(formatLseq(lseq.seq, lseq.stream))
      if (kind !== 'G' && expected(() => subjectLength(key)) === undefined) return true
      const holder = blocks.holding(lseq)
      if (holder === undefined) return isNobodys
      // What is in groups of a version that is whole is right; of one that came, what is not among it is wrong.
      return kind === 'G' ? this.#isWhole(nameOf(holder)) : this.#taken.has(nameOf(holder))
    }
  }

  #isLost(key: Uint8Array): boolean {
    return this.#survey.pages.some(({ first, last }) => {
      const isKind = last[0] === key[0]
      return isKind && compareBytes(key, last) <= 0 && (first === undefined || compareBytes(first, key) <= 0)
    })
  }

  /** Makes indexes again: what is missing, and the pages of them that are damaged. */
  async #derive(pages: readonly Uint8Array[]): Promise<void> {
    // A page that is damaged must not be in the way of those beside it.
    const scan: EntryStore['scan'] = (range) => this.#entries.scan({ ...range, onDamage: () => undefined })
    const derived = await orUndefined(deriveAll({ scan }))
    // Where versions are missing still, nothing can be said of those that stand on them.
    if (derived === undefined) return
    const edits = new PageEdits(this.#entries.store)
    for (const last of pages) await edits.drop(last)
    const there = new Set<string>()
    for (const kind of ['I', 'X'] as const) {
      for await (const batch of this.#survey.scan(this.#entries, kind)) {
        for (let i = 0; i < batch.count; i++) there.add(toLatin1(batch.key(i)))
      }
    }
    await this.#batch(await edits.finish(derived.filter(({ key }) => !there.has(toLatin1(key)))))
  }
}

async function orUndefined<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (error instanceof CodedError) return undefined
    throw error
  }
}

const GENESIS = 'K'.charCodeAt(0)
const VERSION = 'V'.charCodeAt(0)
const GROUPS = 'G'.charCodeAt(0)
const REF = 'R'.charCodeAt(0)

/** The versions among entries that came, of which all is there that they signed. */
function offersIn(came: readonly Entry[]): Offer[] {
  const versions: { version: Version; value: Uint8Array }[] = []
  for (const { key, value } of came) {
    if (key[0] !== VERSION) continue
    const version = expected(() => decodeVersion(value))
    if (version === undefined || !equalBytes(versionKey(version.last, version.stream), key)) continue
    versions.push({ version, value })
  }
  const blocks = new Blocks(versions.map(({ version }) => version))
  const byVersion = new Map<string, Entry[]>(versions.map(({ version }) => [nameOf(version), []]))
  for (const entry of came) {
    const { key } = entry
    if (key[0] === GENESIS || key[0] === VERSION || key[0] === GROUPS || isDerived(key)) continue
    if (key.length < 9 || expected(() => subjectLength(key)) === undefined) continue
    const holder = blocks.holding(lseqOfKey(key))
    if (holder !== undefined) byVersion.get(nameOf(holder))?.push(entry)
  }
  return versions.flatMap(({ version, value }) => {
    const entries = (byVersion.get(nameOf(version)) ?? []).sort((a, b) => compareBytes(a.key, b.key))
    const groups = groupsIn(entries)
    return changesRoot(groups) === toLatin1(version.changes) ? [{ version, value, entries, groups }] : []
  })
}

/** What a version names, and the names that it moved. */
function namedBy({ version, entries }: Offer): VersionRef[] {
  const refs = entries.filter(({ key }) => key[0] === REF)
  return [...refsOf(version), ...refs.flatMap(({ value }) => expected(() => decodeRefValue(value))?.version ?? [])]
}

function refsOf({ prev, parents }: Version): VersionRef[] {
  return [prev, ...parents].filter(({ seq }) => seq > 0)
}

function nameOf({ last, stream }: Pick<Version, 'last' | 'stream'>): string {
  return formatLseq(last, stream)
}

function compareVersions(a: Version, b: Version): number {
  return compareLseq({ seq: a.last, stream: a.stream }, { seq: b.last, stream: b.stream })
}
