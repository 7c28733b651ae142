/**
 * Writes many entries at once, in ascending order, into pages.
 *
 * The writer goes through the new entries and the pages side by side. A page into whose range a new entry falls is
 * taken apart and merged; a page that none falls into stays as it is, byte for byte. What is merged gathers in a buffer
 * from which pages are cut:
 *
 *     pages there     [a ... d]      [g ... k]  [m ... p]  [r ... x]
 *     new entries          c                n              y
 *     after           [a . c . d]    [g ... k]  [m . n . p]  [r ... x y]      (the last one was not full)
 *
 * A page is cut when the buffer holds one and a half, so that what is left over is never a scrap, and a full page can
 * take new entries without being split at once. A short buffer takes in the next page rather than becoming a scrap.
 * Kinds of entries (the first bytes of keys) do not share pages, so that the few entries of a small kind are had
 * without unpacking a page full of another.
 *
 * Pages are compressed beside the main thread, a few at a time. All writes wait for one atomic batch at the end. When
 * they would take too much memory they go earlier, at a point where every page taken apart so far has been put together
 * again: pages then do not overlap, and no entry is missing, after each batch. That suffices, because entries are
 * immutable and no reader looks at an entry whose version is not there yet, and versions come with the last batch.
 * @module
 */
import { compareBytes, equalBytes, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { assertEntry, type Entry, type EntryBatch } from './batch.js'
import type { PackedPage } from './packed.js'
import { encodePage } from './page.js'
import { LOOSE, PAGE, type PageReader, storeKey, successor } from './pages.js'
import type { Operation } from './store.js'

/** How pages are made. */
export interface WriterOptions {
  /** Bytes of entries in a page. */
  readonly pageBytes: number
  /** Most entries in a page, however small they are, by the first byte of their keys. */
  readonly pageEntries: (kind: number) => number
  /** Brotli's quality, 0 to 11. */
  readonly quality: number
  /** Bytes of finished pages to hold back for the last batch; more are written earlier. */
  readonly heldBytes: number
}

/** What a writer did. */
export interface WriteReport {
  /** Entries that were given and not there before, loose ones that went into a page included. */
  readonly added: number
  readonly pagesWritten: number
  /** Pages that were there before and have been taken apart. */
  readonly pagesMerged: number
  /** Bytes of the pages written. */
  readonly bytes: number
}

/** Pages being compressed at one time: enough for the thread pool, few enough for memory. */
const AT_ONCE = 4

/** What an entry takes of a page: keys are mostly shared with the one before. */
function weigh(key: Uint8Array, value: Uint8Array): number {
  return value.length + 8 + (key.length >> 2)
}

/** Whether both keys are there and begin with the same byte, their kind. */
function sameKind(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && a[0] === b[0]
}

export class PageWriter {
  readonly #reader: PageReader
  readonly #write: (operations: readonly Operation[]) => Promise<void>
  readonly #options: WriterOptions

  /** The last entry given; without a value where it was taken out. */
  #last: { readonly key: Uint8Array; readonly value: Uint8Array | undefined } | undefined
  /** What waits to become pages, and what it weighs. */
  #buffer: Entry[] = []
  #weight = 0
  /** Where the buffer is to be cut: the first entry that does not belong to the next page, 0 while there is none. */
  #cut = 0
  #cutWeight = 0

  /** The page being merged, and its next entry. */
  #old: EntryBatch | undefined
  #oldAt = 0
  /** The first page behind everything done with; `null` when there is none, `undefined` when not looked for. */
  #next: PackedPage | null | undefined
  /** Pages up to this key are done with: taken apart, written, or passed. */
  #done: Uint8Array | undefined

  /** Deletions and finished pages, deletions first. */
  #deletions: Operation[] = []
  #puts: Operation[] = []
  #held = 0
  readonly #compressing = new Set<Promise<void>>()
  #failure: unknown

  #added = 0
  #pagesWritten = 0
  #pagesMerged = 0
  #bytes = 0

  /** @param write - Writes operations in one atomic batch that is on the disk when it settles. */
  constructor(reader: PageReader, write: (operations: readonly Operation[]) => Promise<void>, options: WriterOptions) {
    this.#reader = reader
    this.#write = write
    this.#options = options
  }

  /**
   * Takes the next entry. Most calls are done when they return; await what they return when there is something.
   *
   * @param loose - The entry is in the store by itself, and is to be deleted there when it is in a page.
   * @throws {RangeError} for what `assertEntry` refuses, and for a key below the one before.
   * @throws {CodedError} `ENTRY_CONFLICT` when there is an entry of this key with another value; `PAGE_CORRUPT`.
   */
  add(key: Uint8Array, value: Uint8Array, loose = false): Promise<void> | undefined {
    assertEntry(key, value)
    const last = this.#last
    if (last !== undefined && this.#order(key) === 0 && last.value !== undefined) {
      if (!equalBytes(last.value, value)) throw conflict(key)
      return undefined
    }
    this.#last = { key, value }
    if (!this.#ready(key)) return this.#approach(key).then(() => this.#placeSlowly(key, value, loose))
    this.#place(key, value, loose)
    return this.#compressing.size > AT_ONCE ? this.#drain(AT_ONCE) : undefined
  }

  /**
   * Takes an entry out, wherever it is; what is not there is no failure. The next entry may have the same key and another
   * value. For those alone who know that nobody reads, or has ever seen, what goes.
   *
   * @throws {RangeError} for a key that is not above the one before.
   * @throws {CodedError} `PAGE_CORRUPT`.
   */
  drop(key: Uint8Array): Promise<void> | undefined {
    if (this.#order(key) === 0) throw new RangeError(`key: expected one above ${toHex(key)}, got the same`)
    this.#last = { key, value: undefined }
    if (!this.#ready(key)) return this.#approach(key).then(() => this.#leaveOut(key))
    this.#leaveOut(key)
    return undefined
  }

  /**
   * How a key stands to the one before: below 0 where it is above that.
   *
   * @throws {RangeError} where it is below.
   */
  #order(key: Uint8Array): number {
    const last = this.#last
    const order = last === undefined ? -1 : compareBytes(last.key, key)
    if (last !== undefined && order > 0) {
      throw new RangeError(`key: expected one above ${toHex(last.key)}, got ${toHex(key)}`)
    }
    return order
  }

  /**
   * Writes what is left, and `operations` in the same last batch.
   *
   * @throws {CodedError} as `add`, and what the store throws. Batches written earlier stay, and do no harm.
   */
  async finish(operations: readonly Operation[] = []): Promise<WriteReport> {
    this.#moveOld(undefined)
    if (this.#isShort(this.#next)) {
      this.#takeApart(this.#next as PackedPage)
      this.#moveOld(undefined)
    }
    await this.#commit(operations)
    return {
      added: this.#added,
      pagesWritten: this.#pagesWritten,
      pagesMerged: this.#pagesMerged,
      bytes: this.#bytes,
    }
  }

  /** Whether `key` can be placed without reading the store. */
  #ready(key: Uint8Array): boolean {
    if (this.#old !== undefined) return compareBytes(key, this.#old.key(this.#old.count - 1)) <= 0
    if (this.#held > this.#options.heldBytes) return false
    return this.#next === null || (this.#next !== undefined && compareBytes(key, this.#next.first) < 0)
  }

  /** Makes `key` ready. */
  async #approach(key: Uint8Array): Promise<void> {
    for (;;) {
      if (this.#old !== undefined && !this.#ready(key)) {
        this.#moveOld(undefined)
        this.#next = await this.#find(successor(this.#done as Uint8Array))
      }
      if (this.#old === undefined && this.#held > this.#options.heldBytes) await this.#commit([])
      if (this.#ready(key)) return
      await this.#step(key)
    }
  }

  async #placeSlowly(key: Uint8Array, value: Uint8Array, loose: boolean): Promise<void> {
    this.#place(key, value, loose)
    await this.#drain(AT_ONCE)
  }

  /** Gets one page nearer to `key`. No page is being merged. */
  async #step(key: Uint8Array): Promise<void> {
    const next = this.#next
    if (next === undefined) {
      this.#next = await this.#find(key)
      if (!sameKind(key, this.#next?.first)) await this.#reopenLast(key)
    } else if (next !== null && compareBytes(key, next.last) <= 0) {
      this.#takeApart(next)
    } else if (this.#isShort(next)) {
      this.#takeApart(next as PackedPage)
    } else {
      this.#flush()
      this.#next = undefined
    }
  }

  async #find(key: Uint8Array): Promise<PackedPage | null> {
    return (await this.#reader.atOrAfter(key)) ?? null
  }

  /** Whether what waits would make a scrap of a page, and had better go into the next one. */
  #isShort(next: PackedPage | null | undefined): boolean {
    const [first] = this.#buffer
    if (first === undefined || !sameKind(first.key, next?.first)) return false
    return this.#weight < this.#options.pageBytes / 2 && this.#buffer.length < this.#most(first.key) / 2
  }

  /**
   * What comes behind all pages of its kind goes into the last one of them, unless that is full. It cannot have been
   * taken apart before: behind such a page the next one is looked for at once, and there is none to look for again.
   */
  async #reopenLast(key: Uint8Array): Promise<void> {
    const last = await this.#reader.before(key)
    if (last === undefined || last.size >= this.#options.pageBytes || last.count >= this.#most(key)) return
    if (sameKind(key, last.first)) this.#takeApart(last)
  }

  #takeApart(page: PackedPage): void {
    this.#old = page.unpack().batch
    this.#oldAt = 0
    this.#next = undefined
    this.#done = page.last
    this.#deletions.push({ type: 'del', key: storeKey(PAGE, page.last) })
    this.#pagesMerged++
  }

  /** Moves entries of the page being merged into the buffer: those below `key`, or all. */
  #moveOld(key: Uint8Array | undefined): void {
    const old = this.#old
    if (old === undefined) return
    for (; this.#oldAt < old.count; this.#oldAt++) {
      const oldKey = old.key(this.#oldAt)
      if (key !== undefined && compareBytes(oldKey, key) >= 0) return
      this.#push(oldKey, old.value(this.#oldAt))
    }
    // With a key there may be nothing left of the page, and it is still the one that the key falls into.
    if (key === undefined) this.#old = undefined
  }

  #place(key: Uint8Array, value: Uint8Array, loose: boolean): void {
    this.#moveOld(key)
    const there = this.#isNext(key)
    if (there && !equalBytes((this.#old as EntryBatch).value(this.#oldAt), value)) throw conflict(key)
    if (loose) this.#deletions.push({ type: 'del', key: storeKey(LOOSE, key) })
    if (there) return
    this.#added++
    this.#push(key, value)
  }

  #leaveOut(key: Uint8Array): void {
    this.#moveOld(key)
    if (this.#isNext(key)) this.#oldAt++
    this.#deletions.push({ type: 'del', key: storeKey(LOOSE, key) })
  }

  /** Whether a key is the next one of the page being merged. */
  #isNext(key: Uint8Array): boolean {
    const old = this.#old
    return old !== undefined && this.#oldAt < old.count && equalBytes(old.key(this.#oldAt), key)
  }

  #push(key: Uint8Array, value: Uint8Array): void {
    const { pageBytes } = this.#options
    const weight = weigh(key, value)
    if (weight >= pageBytes || !sameKind(key, this.#buffer.at(-1)?.key)) this.#flush()
    this.#buffer.push({ key, value })
    this.#weight += weight
    const { length } = this.#buffer
    const most = this.#most(key)
    if (this.#cut === 0 && (this.#weight >= pageBytes || length >= most)) {
      this.#cut = length
      this.#cutWeight = this.#weight
    }
    if (weight >= pageBytes) this.#flush()
    else if (this.#weight >= pageBytes * 1.5 || length >= most * 1.5) this.#emit(this.#cut, this.#cutWeight)
  }

  /** Most entries of a page of this key's kind. */
  #most(key: Uint8Array): number {
    return this.#options.pageEntries(key[0] as number)
  }

  /** Makes a page of all that waits. */
  #flush(): void {
    if (this.#buffer.length > 0) this.#emit(this.#buffer.length, this.#weight)
  }

  #emit(count: number, weight: number): void {
    const entries = this.#buffer.slice(0, count)
    this.#buffer = this.#buffer.slice(count)
    this.#weight -= weight
    this.#cut = 0
    const { key } = entries.at(-1) as Entry
    if (this.#done === undefined || compareBytes(key, this.#done) > 0) this.#done = key
    const work = encodePage(entries, { quality: this.#options.quality }).then(
      (bytes) => {
        this.#puts.push({ type: 'put', key: storeKey(PAGE, key), value: bytes })
        this.#held += bytes.length
        this.#bytes += bytes.length
        this.#pagesWritten++
        this.#compressing.delete(work)
      },
      (error: unknown) => {
        this.#failure ??= error
        this.#compressing.delete(work)
      },
    )
    this.#compressing.add(work)
  }

  /** Waits until at most `most` pages are being compressed. */
  async #drain(most: number): Promise<void> {
    while (this.#compressing.size > most) await Promise.race(this.#compressing)
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Writes all that was given so far. No page is being merged. */
  async #commit(operations: readonly Operation[]): Promise<void> {
    this.#flush()
    await this.#drain(0)
    const batch = [...this.#deletions, ...this.#puts, ...operations]
    this.#deletions = []
    this.#puts = []
    this.#held = 0
    if (batch.length > 0) await this.#reader.cache.rewrite(() => this.#write(batch))
  }
}

/** The error for two values under one full key. */
export function conflict(key: Uint8Array): CodedError {
  return new CodedError('ENTRY_CONFLICT', `There is another entry with the key ${toHex(key)}.`, {
    hint: 'Entries never change; one of the two was made wrongly or is damaged. Run weft verify.',
    data: { key: toHex(key) },
  })
}
