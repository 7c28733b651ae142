/**
 * A peer in this process: a repository that is open here, as one in another directory is.
 * @module
 */
import { CodedError } from '../base/error.js'
import { type AnswerOptions, answer } from './answer.js'
import type { SyncContext } from './context.js'
import type { Call, Peer } from './exchange.js'
import { exchangePair } from './memory.js'

/** Limits of exchanges, and how news is told of. */
export interface LocalOptions extends AnswerOptions {
  readonly changed?: (signal: AbortSignal) => Promise<void>
}

export class LocalPeer implements Peer {
  readonly url: string
  readonly isInteractive = true
  readonly #open: () => Promise<SyncContext & Partial<AsyncDisposable>>
  readonly #options: LocalOptions
  readonly changed?: (signal: AbortSignal) => Promise<void>
  #last: Promise<unknown> = Promise.resolve()

  /**
   * @param url - For people.
   * @param open - Opens the repository for one exchange; it is disposed of afterwards, where it can be.
   */
  constructor(url: string, open: () => Promise<SyncContext & Partial<AsyncDisposable>>, options: LocalOptions = {}) {
    this.url = url
    this.#open = open
    this.#options = options
    if (options.changed !== undefined) this.changed = options.changed
  }

  async call(): Promise<Call> {
    // The exchange before has to have let go of the repository.
    await this.#last.catch(() => undefined)
    const context = await this.#open()
    const [asking, answering] = exchangePair()
    const answered = answer(context, answering, { read: true, write: true }, this.#options)
      // What can be expected to go wrong there has been told in the exchange.
      .catch((error: unknown) => {
        if (!(error instanceof CodedError)) throw error
      })
      .then(() => context[Symbol.asyncDispose]?.())
    answered.catch(() => undefined)
    this.#last = answered
    return asking
  }

  /** Waits until the other side has let go of its repository. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last
  }
}
