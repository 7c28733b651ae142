/**
 * Pages that were found, and may not be unpacked yet.
 * @module
 */
import { toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { EntryBatch } from './batch.js'
import type { Page } from './cache.js'
import type { Coverage } from './coverage.js'
import { openPage, type SealedPage } from './page.js'

/** A page not unpacked yet. */
export interface PackedPage {
  readonly first: Uint8Array
  readonly last: Uint8Array
  readonly count: number
  /** Bytes of the body before compression. */
  readonly size: number
  /** @throws {CodedError} `PAGE_CORRUPT`. */
  unpack(): Page
  /**
   * The entries that are wanted, and maybe others.
   *
   * @throws {CodedError} `PAGE_CORRUPT`.
   */
  unpackFor(wanted: Coverage): EntryBatch
}

/** Who keeps unpacked pages. */
export interface PageKeeper {
  /** Told of a page that was unpacked. */
  keep(page: Page): void
  /** Whether a part of the page that ends with this key was wanted before: then it is worth keeping whole. */
  again(last: Uint8Array): boolean
}

/** A page as it was read. */
export class StoredPage implements PackedPage {
  readonly last: Uint8Array
  readonly #sealed: SealedPage
  readonly #keeper: PageKeeper

  /**
   * @throws {CodedError} `PAGE_CORRUPT`.
   */
  constructor(last: Uint8Array, bytes: Uint8Array, keeper: PageKeeper) {
    this.last = last
    this.#sealed = located(last, () => openPage(bytes, last))
    this.#keeper = keeper
  }

  get first(): Uint8Array {
    return this.#sealed.firstKey
  }

  get count(): number {
    return this.#sealed.count
  }

  get size(): number {
    return this.#sealed.bodyBytes
  }

  unpack(): Page {
    const { first, last } = this
    return located(last, () => {
      const batch = this.#sealed.unpack()
      const page = { first, last, batch }
      this.#keeper.keep(page)
      return page
    })
  }

  unpackFor(wanted: Coverage): EntryBatch {
    if (this.#keeper.again(this.last)) return this.unpack().batch
    return located(this.last, () => this.#sealed.unpackFor(wanted))
  }
}

/** A page that is unpacked already. */
export function packed(page: Page): PackedPage {
  const { first, last, batch } = page
  return {
    first,
    last,
    count: batch.count,
    size: batch.values.length,
    unpack: () => page,
    unpackFor: () => batch,
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
