/**
 * Pages that were found, and may not be unpacked yet.
 * @module
 */
import { equalBytes, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { Page } from './cache.js'
import { corruptPage } from './columns.js'
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
}

/** A page as it was read. */
export class StoredPage implements PackedPage {
  readonly last: Uint8Array
  readonly #sealed: SealedPage
  readonly #keep: (page: Page) => void

  /**
   * @param keep - Told of the page when it is unpacked.
   * @throws {CodedError} `PAGE_CORRUPT`.
   */
  constructor(last: Uint8Array, bytes: Uint8Array, keep: (page: Page) => void) {
    this.last = last
    this.#sealed = located(last, () => openPage(bytes))
    this.#keep = keep
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
      if (!equalBytes(batch.key(batch.count - 1), last)) throw corruptPage('its key is not that of its last entry')
      const page = { first, last, batch }
      this.#keep(page)
      return page
    })
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
