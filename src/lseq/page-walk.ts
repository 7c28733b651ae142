/**
 * A walk over many pages: while its reader is busy with one, the next ones are read from the store.
 * @module
 */
import type { PackedPage } from './packed.js'
import type { Pair } from './store.js'

/** How far a walk is ahead of its reader, in bytes of pages once they are inflated. */
const AHEAD = 8 << 20

/** The pages of the store as they were when the walk began, one after the other. */
export class PageWalk {
  /** As long as the cache is of this generation, these are the pages of now. */
  readonly generation: number
  readonly #batches: AsyncIterator<Pair[]>
  readonly #pack: (pair: Pair) => PackedPage | undefined
  readonly #ahead: PackedPage[] = []
  #aheadBytes = 0
  #reading: Promise<void> | undefined
  #done = false
  /** What went wrong behind the pages in `#ahead`. */
  #failure: { readonly error: unknown } | undefined

  /**
   * Begins to read.
   *
   * @param pack - What to make of a pair of the store; undefined for one behind the end of the walk.
   */
  constructor(pairs: AsyncIterable<Pair[]>, generation: number, pack: (pair: Pair) => PackedPage | undefined) {
    this.generation = generation
    this.#batches = pairs[Symbol.asyncIterator]()
    this.#pack = pack
    void this.#read()
  }

  /** @throws {CodedError} `PAGE_CORRUPT`, and what the store throws. */
  async next(): Promise<PackedPage | undefined> {
    while (this.#ahead.length === 0 && !this.#done) await this.#read()
    const page = this.#ahead.shift()
    if (page === undefined && this.#failure !== undefined) throw this.#failure.error
    this.#aheadBytes -= page?.size ?? 0
    this.#readAhead()
    return page
  }

  /** Lets go of what the walk holds, wherever it is. */
  async close(): Promise<void> {
    this.#done = true
    await this.#batches.return?.()
  }

  #readAhead(): void {
    if (!this.#done && this.#aheadBytes < AHEAD) void this.#read()
  }

  /** Reads some more, once at a time. Never fails: the error waits until `next` gets there. */
  #read(): Promise<void> {
    this.#reading ??= this.#readSome().then(() => {
      this.#reading = undefined
      this.#readAhead()
    })
    return this.#reading
  }

  async #readSome(): Promise<void> {
    try {
      const { done, value } = await this.#batches.next()
      if (done === true) this.#done = true
      else for (const pair of value) this.#add(this.#pack(pair))
    } catch (error) {
      this.#failure = { error }
      this.#done = true
    }
  }

  #add(page: PackedPage | undefined): void {
    if (page === undefined || this.#done) {
      this.#done = true
      return
    }
    this.#ahead.push(page)
    this.#aheadBytes += page.size
  }
}
