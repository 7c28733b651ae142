/**
 * Finding and reading pages, and where things lie in a store:
 *
 *     `e` | full key                               a loose entry; the value as it is
 *     `p` | full key of the last entry in it       a page
 *
 * Pages never overlap, so the page that may hold a key is the first one whose own key is not below it.
 * @module
 */
import { compareBytes, equalBytes } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { PageCache } from './cache.js'
import { type PackedPage, packed, StoredPage } from './packed.js'
import { peekFirstKey } from './page.js'
import { PageWalk } from './page-walk.js'
import type { Pair, ScanOptions, Store } from './store.js'

/** First bytes of the store's keys. */
export const LOOSE = 0x65
export const PAGE = 0x70

const FIRST_PAGE = Uint8Array.of(PAGE)
const BEHIND_PAGES = Uint8Array.of(PAGE + 1)

/** What a walk reads at a time: two pages of lines. */
const WALK_BYTES = 1 << 18

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

  /** Walks the pages, from the first one with a key that is not below `key` to the last one that begins below `lt`. */
  walk(key: Uint8Array, lt: Uint8Array | undefined): PageWalk {
    const { generation } = this.cache
    const pairs = this.#store.scan({ gte: storeKey(PAGE, key), lt: BEHIND_PAGES, batchBytes: WALK_BYTES })
    return new PageWalk(pairs, generation, (pair) => {
      const page = this.#pack(pair, generation, false)
      return lt !== undefined && compareBytes(page.first, lt) >= 0 ? undefined : page
    })
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
    const page = new StoredPage(last, bytes, {
      keep: (unpacked) => this.cache.add(unpacked, generation),
      again: (key) => this.cache.isKnown(key),
    })
    return afresh ? packed(page.unpack()) : page
  }
}
