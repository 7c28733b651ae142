/**
 * How long a server waits for somebody on the other side: a while, and longer for who has moved many bytes.
 *
 * A limit on the whole would cut those with much to say on a thin line; one on each wait alone would let anybody keep a
 * connection for a byte a minute.
 * @module
 */

/** Somebody who has gone, or might as well have. */
export class GoneError extends Error {
  override readonly name = 'GoneError'
}

/** How slow the other side may be. */
export interface PatienceOptions {
  /** Milliseconds of waiting, one time and all in all, before bytes are counted. */
  readonly milliseconds: number
  /** Each so many bytes are worth another second, all in all. */
  readonly bytesPerSecond: number
}

export class Patience {
  readonly #options: PatienceOptions
  #waited = 0
  #bytes = 0

  constructor(options: PatienceOptions) {
    this.#options = options
  }

  /** So many bytes have come, or gone. */
  moved(bytes: number): void {
    this.#bytes += bytes
  }

  /**
   * Waits for the other side.
   *
   * @param now - A clock that only goes on, in milliseconds.
   * @throws {GoneError} when it takes too long.
   */
  async wait<T>(work: Promise<T>, now: () => number): Promise<T> {
    const { milliseconds, bytesPerSecond } = this.#options
    const begun = now()
    const left = milliseconds + (this.#bytes / bytesPerSecond) * 1000 - this.#waited
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      const end = (): void => reject(new GoneError('nothing moves any more'))
      timer = setTimeout(end, Math.max(0, Math.min(milliseconds, left)))
    })
    try {
      return await Promise.race([work, late])
    } finally {
      clearTimeout(timer)
      this.#waited += now() - begun
    }
  }
}
