/**
 * The entries of a repository: immutable `(full key) -> value`, in key order, whatever their physical layout.
 *
 * A new entry is *loose*, a key of the store by itself, so that a small change is one small atomic batch. Entries that
 * have gathered are *folded* into pages (page.ts), where they take a fifth of the space and are read many times
 * faster. Everything that reads sees both as one sequence. pages.ts says where things lie.
 *
 * Why no reader needs a lock or a snapshot: an entry never changes, and only ever moves from loose to a page, or from
 * page to page, in one atomic batch. A reader takes the loose entries' state first and each page's later; what was
 * loose at first is seen as loose, what had been folded by then is in a page from then on. At worst an entry is seen in
 * both places, and told once. Writers of pages wait for each other; `put` waits for nobody.
 * @module
 */
import { compareBytes, equalBytes, toHex, toLatin1 } from '../base/bytes.js'
import { assertEntry, type Entry, EntryBatch, type EntryRange } from './batch.js'
import { corruptPage } from './columns.js'
import type { Coverage } from './coverage.js'
import { LooseReader, looseEntry, looseRange, mergeBatches } from './merge.js'
import type { PackedPage } from './packed.js'
import { openPage } from './page.js'
import type { PageWalk } from './page-walk.js'
import { LOOSE, type OnDamage, PAGE, PageReader, storeKey, successor } from './pages.js'
import type { Operation, Store } from './store.js'
import { conflict, PageWriter, type WriteReport, type WriterOptions } from './writer.js'

/** Settings of an entry store. */
export interface EntryStoreOptions {
  /** Bytes of entries in a page. Default 1 MiB; page.ts says why. */
  readonly pageBytes?: number | undefined
  /**
   * Most entries in a page, however small they are, by the first byte of their keys. Unpacking takes time for each, and who
   * looks for one unpacks all that are in a page with it. Default 8192.
   */
  readonly pageEntries?: ((kind: number) => number) | undefined
  /** Brotli's quality for pages, 0 to 11. Default 7. */
  readonly quality?: number | undefined
  /** Bytes of unpacked pages to keep for the next reader. Default 64 MiB. */
  readonly cacheBytes?: number | undefined
  /** Bytes of packed pages that a bulk write holds back for its last batch. Default 48 MiB. */
  readonly heldBytes?: number | undefined
}

/** How to go through entries. */
export interface EntryScan extends EntryRange {
  /** From the greatest key to the least. */
  readonly reverse?: boolean | undefined
  /** Pass over damaged pages and tell of each; without it the scan throws `PAGE_CORRUPT` at the first. */
  readonly onDamage?: OnDamage | undefined
  /** Other entries than these may be left out, which spares unpacking them. Upward only. */
  readonly wanted?: Coverage | undefined
}

/** How to put entries. */
export interface PutOptions {
  /** Writes of other kinds for the same atomic batch: indexes, meta. Their keys begin with neither `e` nor `p`. */
  readonly operations?: readonly Operation[] | undefined
  /** The entries are known to be new (their lseqs were made just now): saves looking. */
  readonly fresh?: boolean | undefined
  /** Settle only when everything is on the disk. Default true. */
  readonly sync?: boolean | undefined
}

/** When loose entries are folded. */
export interface FoldOptions {
  /** Fold when there are more loose entries than this. */
  readonly entries?: number | undefined
}

/** What the store holds. */
export interface EntryStat {
  readonly looseEntries: number
  /** Keys and values, as they are. */
  readonly looseBytes: number
  readonly pages: number
  readonly pageEntries: number
  /** Packed. */
  readonly pageBytes: number
}

/** Loose entries cost a microsecond each to read, and as much again to merge: more than this many are worth a fold. */
const FOLD_ENTRIES = 4096

/** Lines and tombstones come to 4,400 a page of a megabyte. */
const PAGE_ENTRIES = 8192

const NO_KEY = new Uint8Array(0)

export class EntryStore implements AsyncDisposable {
  readonly store: Store
  readonly #options: WriterOptions & { readonly cacheBytes: number }
  readonly #pages: PageReader
  /** Whether there are loose entries: `undefined` when nobody has looked. */
  #loose: boolean | undefined
  /** Counts what changes the store: what was looked up before may not be so any more. */
  #generation = 0
  /** Settles when the last writer of pages has finished. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(store: Store, options: EntryStoreOptions = {}) {
    this.store = store
    this.#options = {
      pageBytes: options.pageBytes ?? 1 << 20,
      pageEntries: options.pageEntries ?? (() => PAGE_ENTRIES),
      quality: options.quality ?? 7,
      cacheBytes: options.cacheBytes ?? 64 << 20,
      heldBytes: options.heldBytes ?? 48 << 20,
    }
    this.#pages = new PageReader(store, this.#options.cacheBytes)
  }

  /** Another number after each write: what was made of the entries before, and kept, may have to be looked at again. */
  get generation(): number {
    return this.#generation
  }

  /**
   * Runs a write to the store that somebody else makes past this object, so that what is remembered here is right while it
   * goes on and afterwards. Nobody may be writing pages here meanwhile: see `turn.ts`.
   */
  async foreign<T>(work: () => Promise<T>): Promise<T> {
    this.#generation++
    this.#loose = true
    try {
      return await this.#pages.cache.rewrite(work)
    } finally {
      this.#generation++
      this.#loose = undefined
    }
  }

  /** The value of the entry with exactly this full key. */
  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    // Loose first: an entry may move into a page meanwhile, never out of one.
    const loose = (await this.#hasLoose()) ? await this.store.get(storeKey(LOOSE, key)) : undefined
    return loose ?? this.#getPaged(key)
  }

  /** The values of `keys`, in the order of `keys`. Fastest when they ascend. */
  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const found: (Uint8Array | undefined)[] = (await this.#hasLoose())
      ? await this.store.getMany(keys.map((key) => storeKey(LOOSE, key)))
      : keys.map(() => undefined)
    for (const [i, key] of keys.entries()) found[i] ??= await this.#getPaged(key)
    return found
  }

  async #getPaged(key: Uint8Array): Promise<Uint8Array | undefined> {
    const page = await this.#pages.atOrAfter(key)
    if (page === undefined || compareBytes(page.first, key) > 0) return undefined
    const { batch } = page.unpack()
    const i = batch.lowerBound(key)
    return equalBytes(batch.key(i), key) ? batch.value(i) : undefined
  }

  /** The entry with the least key in `range`. */
  async first(range: EntryRange = {}): Promise<Entry | undefined> {
    for await (const batch of this.scan(range)) return { key: batch.key(0), value: batch.value(0) }
    return undefined
  }

  /** The entry with the greatest key in `range`. */
  async last(range: EntryRange = {}): Promise<Entry | undefined> {
    for await (const batch of this.scan({ ...range, reverse: true }))
      return { key: batch.key(0), value: batch.value(0) }
    return undefined
  }

  /**
   * The entries of a range in batches, none of them empty; with `reverse` the last key of all comes first.
   *
   * @throws {CodedError} `PAGE_CORRUPT` at a damaged page, unless `onDamage` takes it; `STORE_CORRUPT` for a loose
   *   entry that cannot be one.
   */
  async *scan(options: EntryScan = {}): AsyncGenerator<EntryBatch, void, undefined> {
    const pages = options.reverse === true ? this.#pagesDown(options) : this.#pagesUp(options)
    if (!(await this.#hasLoose())) return yield* pages
    const direction = options.reverse === true ? -1 : 1
    const loose = new LooseReader(this.store, options, direction)
    try {
      await loose.start()
      for await (const page of pages) {
        yield* mergeBatches(page, await loose.until(page.key(page.count - 1)), direction)
      }
      for (let rest = await loose.rest(); rest.length > 0; rest = await loose.rest()) yield EntryBatch.from(rest)
    } finally {
      await loose.close()
    }
  }

  /** The loose entries only, upward: what was put since the last fold. For who looks for something new. */
  async *scanLoose(range: EntryRange = {}): AsyncGenerator<Entry[], void, undefined> {
    if (!(await this.#hasLoose())) return
    for await (const batch of this.store.scan(looseRange(range))) yield batch.map(looseEntry)
  }

  /** What the pages hold of a range, upward. */
  async *#pagesUp({ gte = NO_KEY, lt, onDamage, wanted }: EntryScan): AsyncGenerator<EntryBatch, void, undefined> {
    const { cache } = this.#pages
    let from = gte
    let passed: { last: Uint8Array; generation: number } | undefined
    let walk: PageWalk | undefined
    try {
      for (;;) {
        const { generation } = cache
        if (walk !== undefined && walk.generation !== generation) {
          await walk.close()
          walk = undefined
        }
        const page = walk === undefined ? await this.#pages.atOrAfter(from, onDamage) : await walk.next()
        if (page === undefined || (lt !== undefined && compareBytes(page.first, lt) >= 0)) return
        // A rewrite in between may well have put this page across the place where the scan is.
        const settled = passed?.generation === cache.generation && cache.generation >= 0
        if (settled && compareBytes(page.first, passed?.last ?? NO_KEY) <= 0) overlap(page, onDamage)
        // One page is all that most scans need; if there are more, the next ones are read while this one is worked on.
        const isLast = lt !== undefined && compareBytes(page.last, lt) >= 0
        const goesOn = !isLast && onDamage === undefined && generation >= 0
        if (goesOn && walk === undefined && cache.covering(successor(page.last)) === undefined) {
          walk = this.#pages.walk(successor(page.last), lt)
        }
        const part = clip(wanted === undefined ? page.unpack().batch : page.unpackFor(wanted), from, lt)
        if (part.count > 0) yield part
        if (isLast) return
        from = successor(page.last)
        passed = { last: page.last, generation }
      }
    } finally {
      await walk?.close()
    }
  }

  /** The same, downward. */
  async *#pagesDown({ gte = NO_KEY, lt, onDamage }: EntryScan): AsyncGenerator<EntryBatch, void, undefined> {
    for (let to = lt; ; ) {
      // The page that ends behind `to` may begin before it; after a rewrite also one that had been passed.
      const across = to === undefined ? undefined : await this.#pages.atOrAfter(to, onDamage)
      const found = across !== undefined && compareBytes(across.first, to as Uint8Array) < 0
      const page = found ? across : await this.#pages.before(to, onDamage)
      if (page === undefined || compareBytes(page.last, gte) < 0) return
      const part = clip(page.unpack().batch, gte, to)
      if (part.count > 0) yield part.reversed()
      to = page.first
    }
  }

  /**
   * Puts entries, loose, all in one atomic batch that is on the disk when this settles. Entries that are there already
   * are left alone.
   *
   * @throws {CodedError} `ENTRY_CONFLICT` for a key that is there with another value; then nothing is written.
   * @throws {RangeError} for what `assertEntry` refuses.
   */
  async put(entries: readonly Entry[], options: PutOptions = {}): Promise<void> {
    const batch: Operation[] = []
    const there = options.fresh === true ? [] : await this.getMany(entries.map(({ key }) => key))
    const given = new Map<string, Uint8Array>()
    for (const [i, { key, value }] of entries.entries()) {
      assertEntry(key, value)
      const name = toLatin1(key)
      const other = there[i] ?? given.get(name)
      if (other !== undefined && !equalBytes(other, value)) throw conflict(key)
      given.set(name, value)
      if (other === undefined) batch.push({ type: 'put', key: storeKey(LOOSE, key), value })
    }
    batch.push(...checked(options.operations))
    // Said before, for who reads while it is written, and after, in case a fold that ended meanwhile said otherwise.
    this.#loose = true
    await this.store.batch(batch, { sync: options.sync !== false })
    this.#loose = true
    this.#generation++
  }

  /**
   * Writes many entries into pages. `fill` gives them to the writer in ascending order; what it returns is written in
   * the last batch with them, so that this batch can make them count. Bulk writes and folds run one after another.
   *
   * @throws What `fill` throws. Pages that were written by then stay; a later run finds their entries there.
   */
  bulk(fill: (writer: PageWriter) => Promise<readonly Operation[] | undefined>): Promise<WriteReport> {
    return this.#write(fill, this.#options)
  }

  /** Like `bulk`, in one atomic batch however much it is: all of it is there afterwards, or nothing. */
  bulkWhole(fill: (writer: PageWriter) => Promise<readonly Operation[] | undefined>): Promise<WriteReport> {
    return this.#write(fill, { ...this.#options, heldBytes: Number.POSITIVE_INFINITY })
  }

  #write(
    fill: (writer: PageWriter) => Promise<readonly Operation[] | undefined>,
    options: WriterOptions,
  ): Promise<WriteReport> {
    const work = async (): Promise<WriteReport> => {
      const write = (operations: readonly Operation[]) => this.store.batch(operations, { sync: true })
      const writer = new PageWriter(this.#pages, write, options)
      return writer.finish(checked(await fill(writer)))
    }
    const turn = this.#turn.then(work).finally(() => this.#generation++)
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  /** Moves the loose entries of a range into pages; pages that none of them falls into stay as they are. */
  async fold(range: EntryRange = {}): Promise<WriteReport> {
    const report = await this.bulk(async (writer) => {
      for await (const batch of this.store.scan(looseRange(range))) {
        for (const pair of batch) {
          const { key, value } = looseEntry(pair)
          const wait = writer.add(key, value, true)
          if (wait !== undefined) await wait
        }
      }
      return undefined
    })
    this.#loose = undefined
    return report
  }

  /** Folds a range when it holds more than so many loose entries. */
  async foldIfNeeded(range: EntryRange = {}, options: FoldOptions = {}): Promise<WriteReport | undefined> {
    const limit = options.entries ?? FOLD_ENTRIES
    if (!(await this.#hasLoose())) return undefined
    let count = 0
    for await (const batch of this.store.keys({ ...looseRange(range), limit: limit + 1 })) count += batch.length
    return count > limit ? this.fold(range) : undefined
  }

  /** Counts everything. Reads all of the store, but unpacks nothing. */
  async stat(): Promise<EntryStat> {
    const stat = { looseEntries: 0, looseBytes: 0, pages: 0, pageEntries: 0, pageBytes: 0 }
    for await (const batch of this.store.scan(looseRange({}))) {
      stat.looseEntries += batch.length
      for (const [key, value] of batch) stat.looseBytes += key.length - 1 + value.length
    }
    for await (const batch of this.store.scan({ gte: Uint8Array.of(PAGE), lt: Uint8Array.of(PAGE + 1) })) {
      stat.pages += batch.length
      for (const [, value] of batch) {
        stat.pageBytes += value.length
        stat.pageEntries += openPage(value).count
      }
    }
    return stat
  }

  /** Waits for writers of pages, then closes the store. */
  async close(): Promise<void> {
    await this.#turn
    await this.store.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #hasLoose(): Promise<boolean> {
    if (this.#loose === undefined) {
      const generation = this.#generation
      let found = false
      for await (const batch of this.store.keys({ ...looseRange({}), limit: 1 })) found = batch.length > 0
      // A put that began meanwhile has the last word, and one that came and went leaves it open.
      if (generation !== this.#generation) return true
      this.#loose ??= found
    }
    return this.#loose
  }
}

/** Tells of a page that begins before the one before it ends. */
function overlap({ first, last }: PackedPage, onDamage: OnDamage | undefined): void {
  const error = corruptPage(`it begins, with the key ${toHex(first)}, before the page before it ends`)
  if (onDamage === undefined) throw error
  onDamage({ last, first, detail: error.message })
}

/** The part of an ascending batch within `[gte, lt)`. */
function clip(batch: EntryBatch, gte: Uint8Array, lt: Uint8Array | undefined): EntryBatch {
  return batch.slice(batch.lowerBound(gte), lt === undefined ? batch.count : batch.lowerBound(lt))
}

/** Refuses writes that would go behind the entries' back. */
function checked(operations: readonly Operation[] = []): readonly Operation[] {
  for (const { key } of operations) {
    if (key[0] === LOOSE || key[0] === PAGE) {
      throw new TypeError(`operations: expected keys that are not those of entries, got ${toHex(key)}`)
    }
  }
  return operations
}
