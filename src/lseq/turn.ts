/**
 * Whose turn it is to write: one holder at a time, the others in the order in which they came.
 *
 * What reads a state and writes on top of it (a commit, a push) must have nobody else write in between. Between processes
 * LevelDB's lock sees to that; within the process that holds the lock, this does.
 * @module
 */

/** Gives the turn back. Calling it twice is no failure. */
export type Release = () => void

export class Turn {
  #taken = false
  /** Those who wait, first come first. */
  readonly #queue = new Set<() => void>()

  /** Whether somebody has the turn. */
  get taken(): boolean {
    return this.#taken
  }

  /** How many wait for it. */
  get waiting(): number {
    return this.#queue.size
  }

  /**
   * Waits for the turn and takes it.
   *
   * @param signal - Ends the waiting.
   * @throws The signal's reason; then nothing was taken.
   */
  async take(signal?: AbortSignal): Promise<Release> {
    signal?.throwIfAborted()
    if (this.#taken) await this.#wait(signal)
    this.#taken = true
    let held = true
    return () => {
      if (held) this.#pass()
      held = false
    }
  }

  /** Does something while having the turn. */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const release = await this.take(signal)
    try {
      return await work()
    } finally {
      release()
    }
  }

  /** Settles when the turn was handed over; it is taken all the while, so that nobody comes in between. */
  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        this.#queue.delete(begin)
        reject(signal?.reason as Error)
      }
      this.#queue.add(begin)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  #pass(): void {
    const [next] = this.#queue
    if (next === undefined) this.#taken = false
    else {
      this.#queue.delete(next)
      next()
    }
  }
}
