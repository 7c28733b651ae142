/**
 * Finding and reading pages, and where things lie in a store:
 *
 *     `e` | full key                               a loose entry; the value as it is
 *     `p` | full key of the last entry in it       a page
 *
 * Pages never overlap, so the page that may hold a key is the first one whose own key is not below it.
 * @module
 */
import { equalBytes, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { type Page, PageCache } from './cache.js'
import { corruptPage } from './columns.js'
import { openPage, peekFirstKey } from './page.js'
import type { Pair, ScanOptions, Store } from './store.js'

/** First bytes of the store's keys. */
export const LOOSE = 0x65
export const PAGE = 0x70

const FIRST_PAGE = Uint8Array.of(PAGE)
const BEHIND_PAGES = Uint8Array.of(PAGE + 1)

/** A page that cannot be read, or is not where it belongs. */
export interface PageDamage {
  /** The last key that the page covers: its own key in the store, without the `p`. */
  readonly last: Uint8Array
  /** The first one, where the page still tells; it may be damaged itself. */
  readonly first: Uint8Array | undefined
  readonly detail: string
}

/** Told of each damaged page, which is then passed over. */
export type OnDamage = (damage: PageDamage) => void

/** The store's key for a key of one kind. */
export function storeKey(kind: number, key: Uint8Array): Uint8Array {
  const out = new Uint8Array(key.length + 1)
  out[0] = kind
  out.set(key, 1)
  return out
}

/** The least key above `key`. */
export function successor(key: Uint8Array): Uint8Array {
  const out = new Uint8Array(key.length + 1)
  out.set(key)
  return out
}

/** A page not unpacked yet. */
export interface PackedPage {
  readonly first: Uint8Array
  readonly last: Uint8Array
  readonly count: number
  /** Bytes of the body before compression. */
  readonly size: number
  unpack(): Page
}

export class PageReader {
  readonly #store: Store
  readonly cache: PageCache

  constructor(store: Store, cacheBytes: number) {
    this.#store = store
    this.cache = new PageCache(cacheBytes)
  }

  /**
   * The first page with a key that is not below `key`.
   *
   * @throws {CodedError} `PAGE_CORRUPT` for a damaged page; with `onDamage` that is told instead, and the next page given,
   *   and all is read from the store whatever the cache holds.
   */
  async atOrAfter(key: Uint8Array, onDamage?: OnDamage): Promise<PackedPage | undefined> {
    const cached = onDamage === undefined ? this.cache.covering(key) : undefined
    return cached === undefined ? this.#find(key, false, onDamage) : packed(cached)
  }

  /** The last page that ends below `key`; of all pages, when `key` is undefined. Damage as in `atOrAfter`. */
  async before(key: Uint8Array | undefined, onDamage?: OnDamage): Promise<PackedPage | undefined> {
    return this.#find(key, true, onDamage)
  }

  /** Walks the pages, from the first one with a key that is not below `key` on. */
  walk(key: Uint8Array): PageWalk {
    const { generation } = this.cache
    const pairs = this.#store.scan({ gte: storeKey(PAGE, key), lt: BEHIND_PAGES })
    return new PageWalk(pairs, generation, (pair) => this.#pack(pair, generation, false))
  }

  async #find(key: Uint8Array | undefined, reverse: boolean, onDamage?: OnDamage): Promise<PackedPage | undefined> {
    for (let bound = key === undefined ? undefined : storeKey(PAGE, key); ; ) {
      const generation = this.cache.generation
      const range = reverse
        ? { gte: FIRST_PAGE, lt: bound ?? BEHIND_PAGES, reverse }
        : { gte: bound ?? FIRST_PAGE, lt: BEHIND_PAGES }
      const pair = await this.#first({ ...range, limit: 1 })
      if (pair === undefined) return undefined
      try {
        return this.#pack(pair, generation, onDamage !== undefined)
      } catch (error) {
        if (onDamage === undefined || !(error instanceof CodedError)) throw error
        onDamage({ last: pair[0].subarray(1), first: peekFirstKey(pair[1]), detail: error.message })
        bound = reverse ? pair[0] : successor(pair[0])
      }
    }
  }

  async #first(options: ScanOptions): Promise<Pair | undefined> {
    for await (const batch of this.#store.scan(options)) return batch[0]
    return undefined
  }

  /** @param afresh - Unpack at once, and from the store only, so that all damage shows here. */
  #pack([key, bytes]: Pair, generation: number, afresh: boolean): PackedPage {
    const last = key.subarray(1)
    const cached = afresh || generation !== this.cache.generation ? undefined : this.cache.covering(last)
    if (cached !== undefined && equalBytes(cached.last, last)) return packed(cached)
    const page = located(last, () => openPage(bytes))
    const unpack = (): Page => {
      const batch = located(last, () => page.unpack())
      if (!equalBytes(batch.key(batch.count - 1), last)) {
        located(last, () => {
          throw corruptPage('its key is not that of its last entry')
        })
      }
      const unpacked = { first: page.firstKey, last, batch }
      this.cache.add(unpacked, generation)
      return unpacked
    }
    return afresh ? packed(unpack()) : { first: page.firstKey, last, count: page.count, size: page.bodyBytes, unpack }
  }
}

function packed(page: Page): PackedPage {
  const { first, last, batch } = page
  return { first, last, count: batch.count, size: batch.values.length, unpack: () => page }
}

/**
 * The pages of the store as they were when the walk began, one after the other.
 *
 * For who goes through many: they are read several at a time, which costs a third of looking for each. As long as the
 * cache is of the generation `generation` these are the pages of now.
 */
export class PageWalk {
  readonly generation: number
  readonly #batches: AsyncIterator<Pair[]>
  readonly #pack: (pair: Pair) => PackedPage
  #pairs: Pair[] = []
  #at = 0

  constructor(pairs: AsyncIterable<Pair[]>, generation: number, pack: (pair: Pair) => PackedPage) {
    this.generation = generation
    this.#batches = pairs[Symbol.asyncIterator]()
    this.#pack = pack
  }

  /** @throws {CodedError} `PAGE_CORRUPT`. */
  async next(): Promise<PackedPage | undefined> {
    if (this.#at === this.#pairs.length) {
      const { done, value } = await this.#batches.next()
      if (done === true) return undefined
      this.#pairs = value
      this.#at = 0
    }
    return this.#pack(this.#pairs[this.#at++] as Pair)
  }

  /** Lets go of what the walk holds, wherever it is. */
  async close(): Promise<void> {
    await this.#batches.return?.()
  }
}

/** Says of damage found by `work` which page it is in. */
function located<T>(last: Uint8Array, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    throw new CodedError(error.code, `${error.message} It ends with the key ${toHex(last)}.`, {
      hint: 'Run weft verify to see what is affected.',
      cause: error,
      data: { page: toHex(last) },
    })
  }
}
