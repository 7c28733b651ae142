/**
 * A repository that a server has open, as conversations use it.
 *
 * Many read at a time, from one set of caches; who writes takes the turn. While it is open, other programs on this machine
 * use the store through its socket (`lseq/store-socket.ts`). Where another server has the store already, this one is such a
 * program, and has the turn for as long as it has the repository open.
 *
 * A store of which a write has failed takes no more of them until it is opened again, so this is then marked as spent.
 * @module
 */
import type { Duplex } from 'node:stream'
import { CodedError } from '../base/error.js'
import { type HostedStore, hostStore } from '../lseq/store-socket.js'
import { Turn } from '../lseq/turn.js'
import { storeSocket } from '../repo/layout.js'
import { Repository } from '../repo/repository.js'
import type { Permission } from '../sync/answer.js'
import type { Exchange } from '../sync/exchange.js'
import { streamExchange } from './stream-exchange.js'

/** What a server is told of its repositories, for its log. */
export type Notice = (message: string) => void

/** How to open a repository for a server. */
export interface ServeOptions {
  /** The user's config directory. */
  readonly home?: string | undefined
  /** Milliseconds to wait for another program that has the store. */
  readonly wait?: number | undefined
  /** Milliseconds that a write waits for its turn. Default 60,000. */
  readonly turnWait?: number | undefined
  /** Called when connections to the socket come and go. */
  readonly onChange?: (() => void) | undefined
  readonly notice?: Notice | undefined
  /** Held with other programs of this user that come through the socket for a conversation. They may do everything. */
  readonly converse?:
    | ((served: ServedRepository, exchange: Exchange, permission: Permission) => Promise<unknown>)
    | undefined
}

/** Milliseconds that a write waits while another program has the turn. */
const TURN_WAIT = 60_000

/** What a store says that will not get better by itself. */
const SPENT = new Set(['STORE_FULL', 'STORE_IO', 'STORE_READONLY', 'STORE_CORRUPT', 'STORE_CLOSED'])

export class ServedRepository implements AsyncDisposable {
  readonly repository: Repository
  /** Whether the store is this process' own, so that others can use it through here. */
  readonly isOwn: boolean
  readonly #turn = new Turn()
  readonly #turnWait: number
  #host: HostedStore | undefined
  #spent = false
  #ending = false
  /** Those who wait for something new. */
  readonly #listeners = new Set<() => void>()

  private constructor(repository: Repository, isOwn: boolean, options: ServeOptions) {
    this.repository = repository
    this.isOwn = isOwn
    this.#turnWait = options.turnWait ?? TURN_WAIT
  }

  /**
   * Opens the repository at `root`.
   *
   * @throws {CodedError} as `Repository.open`.
   */
  static async open(root: string, options: ServeOptions = {}): Promise<ServedRepository> {
    const { home, wait, onChange, notice } = options
    const own = await Repository.open(root, { home, direct: true }).catch((error: unknown) => {
      if (error instanceof CodedError && error.code === 'STORE_LOCKED') return undefined
      throw error
    })
    if (own === undefined) return new ServedRepository(await Repository.open(root, { home, wait }), false, options)
    const served = new ServedRepository(own, true, options)
    try {
      const { store } = own.entries
      const write = <T>(work: () => Promise<T>): Promise<T> => served.#watched(() => own.entries.foreign(work))
      const talk = options.converse && ((stream: Duplex) => served.#talk(stream, options))
      served.#host = await hostStore(store, storeSocket(own.root), { turn: served.#turn, write, onChange, talk })
    } catch (error) {
      // It is served all the same; commands on this machine wait until it is closed.
      notice?.((error as Error).message)
    }
    return served
  }

  /** Whether it is to be opened anew before it can be written to. */
  get isSpent(): boolean {
    return this.#spent
  }

  /** Other programs that use the store through here. */
  get connections(): number {
    return this.#host?.connections ?? 0
  }

  /**
   * Does something while nobody else writes.
   *
   * @throws {CodedError} `STORE_LOCKED` where another program keeps the turn for too long.
   */
  async exclusive<T>(work: () => Promise<T>): Promise<T> {
    const release = await this.#turn.take(AbortSignal.timeout(this.#turnWait)).catch((cause: unknown) => {
      throw new CodedError('STORE_LOCKED', 'Another command is using the repository at this moment.', {
        hint: 'Try again in a while.',
        cause,
      })
    })
    try {
      return await this.#watched(work)
    } finally {
      release()
    }
  }

  /** Settles when something was written, when the time is over, or when the server is about to end. */
  changed(milliseconds: number): Promise<void> {
    if (this.#ending) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#listeners.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, milliseconds)
      this.#listeners.add(wake)
    })
  }

  /** From now on nobody waits for anything new. */
  wake(): void {
    this.#ending = true
    for (const wake of this.#listeners) wake()
  }

  /**
   * Closes the repository.
   *
   * @param grace - Milliseconds for another program that has the turn.
   */
  async close(grace?: number): Promise<void> {
    this.wake()
    await this.#host?.close(grace)
    await this.repository[Symbol.asyncDispose]()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Holds a conversation with a program of this machine. */
  async #talk(stream: Duplex, { converse, notice }: ServeOptions): Promise<void> {
    try {
      await converse?.(this, streamExchange(stream, stream), { read: true, write: true })
    } catch (error) {
      // The other side was told in the conversation, if it is still there.
      notice?.(`A conversation with a program of this machine failed: ${(error as Error).message}`)
      if (!stream.writableEnded) stream.destroy()
    }
  }

  /** Runs a write, tells those who listen, and notes when the store has had enough. */
  async #watched<T>(work: () => Promise<T>): Promise<T> {
    const { generation } = this.repository.entries
    try {
      return await work()
    } catch (error) {
      if (error instanceof CodedError && SPENT.has(error.code)) this.#spent = true
      throw error
    } finally {
      if (generation !== this.repository.entries.generation) for (const wake of this.#listeners) wake()
    }
  }
}
