/**
 * Decoded pages kept for the next reader, at most so many bytes of them, the least recently used going first.
 *
 * Pages that stand in the store at one time never overlap, so a cached page also answers "which page covers this key"
 * without asking the store. That holds for one *generation*: the time between two rewrites of pages. While a rewrite is
 * under way nobody knows which side of it a read falls on, so the cache then takes nothing and gives nothing.
 * @module
 */
import { compareBytes, toLatin1 } from '../base/bytes.js'
import type { EntryBatch } from './batch.js'

/** A page and what it covers: keys from `first` to `last`, both included. */
export interface Page {
  readonly first: Uint8Array
  readonly last: Uint8Array
  readonly batch: EntryBatch
}

/** What a cached entry costs beside its bytes: four offsets. */
const ENTRY_BYTES = 16

export class PageCache {
  readonly #limit: number
  /** By `last`, ascending; with the tick of the last use. */
  readonly #pages: { readonly page: Page; readonly bytes: number; used: number }[] = []
  /** Last keys of pages of which a part was wanted, as binary strings. */
  readonly #known = new Set<string>()
  #bytes = 0
  #tick = 0
  #writing = 0
  #generation = 0

  /** @param limit - Bytes of decoded pages to keep. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** What to hand to `add` after reading a page: a number that is never current again once pages are rewritten. */
  get generation(): number {
    return this.#writing > 0 ? -1 : this.#generation
  }

  /** The page that covers `key`, if it is here. */
  covering(key: Uint8Array): Page | undefined {
    const found = this.#pages[this.#search(key)]
    if (found === undefined || compareBytes(found.page.first, key) > 0) return undefined
    found.used = ++this.#tick
    return found.page
  }

  /** Keeps a page that was read in `generation`, unless pages were rewritten since. */
  add(page: Page, generation: number): void {
    if (generation !== this.#generation || this.#writing > 0) return
    const at = this.#search(page.last)
    const there = this.#pages[at]
    if (there !== undefined && compareBytes(there.page.last, page.last) === 0) return
    const bytes = page.batch.keys.length + page.batch.values.length + page.batch.count * ENTRY_BYTES
    this.#pages.splice(at, 0, { page, bytes, used: ++this.#tick })
    this.#bytes += bytes
    while (this.#bytes > this.#limit) this.#evict()
  }

  /** Whether this was asked before of the page that ends with `last`. */
  isKnown(last: Uint8Array): boolean {
    const name = toLatin1(last)
    const known = this.#known.has(name)
    if (!known) this.#known.add(name)
    return known
  }

  /** Runs a rewrite of pages. */
  async rewrite<T>(work: () => Promise<T>): Promise<T> {
    this.#writing++
    this.#generation++
    this.#pages.length = 0
    this.#known.clear()
    this.#bytes = 0
    try {
      return await work()
    } finally {
      this.#writing--
      this.#generation++
    }
  }

  /** Index of the first page whose last key is not below `key`. */
  #search(key: Uint8Array): number {
    let low = 0
    let high = this.#pages.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareBytes((this.#pages[middle] as { page: Page }).page.last, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #evict(): void {
    let oldest = 0
    this.#pages.forEach(({ used }, i) => {
      if (used < (this.#pages[oldest]?.used ?? 0)) oldest = i
    })
    this.#bytes -= this.#pages.splice(oldest, 1)[0]?.bytes ?? 0
  }
}
