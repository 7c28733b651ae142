/**
 * Staying up to date: syncs whenever something has changed on either side.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { CodedError } from '../base/error.js'
import type { Peer } from '../sync/exchange.js'
import type { SyncAnswer } from './format-sync.js'
import type { Synced } from './sync-command.js'

/** Milliseconds that changes are given to be over with: a command changes several files. */
const SETTLE = 150

/** Milliseconds after which both sides are looked at even where nothing was told. */
const REGULAR = 60_000

/** Milliseconds between attempts at a peer that cannot be reached: the least, and the most. */
const RETRY = { least: 1000, most: 60_000 }

/** What a watch does with what it finds. */
export interface WatchActions {
  sync(): Promise<Synced>
  /** Told of the first sync, and of those that changed something. */
  tell(answer: SyncAnswer): Promise<void>
  /** Told once when something goes wrong, until it goes well again. */
  trouble(message: string): void
}

export class SyncWatch {
  readonly #root: string
  readonly #peer: Peer
  readonly #actions: WatchActions
  readonly #stop = new AbortController()

  constructor(root: string, peer: Peer, actions: WatchActions) {
    this.#root = root
    this.#peer = peer
    this.#actions = actions
  }

  stop(): void {
    this.#stop.abort()
  }

  /** Goes on until it is stopped. @throws What is not a matter of the connection. */
  async run(): Promise<void> {
    let pause = RETRY.least
    for (let isFirst = true; !this.#stop.signal.aborted; ) {
      try {
        const synced = await this.#actions.sync()
        if (isFirst || isNews(synced.answer)) await this.#actions.tell(synced.answer)
        isFirst = false
        pause = RETRY.least
        await this.#news(synced)
      } catch (error) {
        if (!isPassing(error)) throw error
        if (pause === RETRY.least) this.#actions.trouble(`${error.message} Trying again until it works.`)
        await sleep(pause, undefined, { signal: this.#stop.signal }).catch(() => undefined)
        pause = Math.min(2 * pause, RETRY.most)
      }
    }
  }

  /** Waits for a change on either side, or long enough. */
  async #news({ tips, repository }: Synced): Promise<void> {
    const { listen, repositoryChanged } = await import('../sync/listen.js')
    const waiting = new AbortController()
    const signal = AbortSignal.any([waiting.signal, this.#stop.signal])
    const heard = async (): Promise<void> => {
      while (!signal.aborted && !(await listen(this.#peer, repository, tips, signal))) await Promise.resolve()
    }
    try {
      await Promise.race([
        heard(),
        repositoryChanged(this.#root, signal),
        sleep(REGULAR, undefined, { signal }).catch(() => undefined),
      ])
    } finally {
      waiting.abort()
    }
    await sleep(SETTLE, undefined, { signal: this.#stop.signal }).catch(() => undefined)
  }
}

function isNews({ received, sent, refs, refused, refusedThere, files }: SyncAnswer): boolean {
  return received + sent + refs.length + refused.length + refusedThere.length > 0 || files.moved
}

/** Whether waiting may help: the other side is away, or somebody has a repository open. */
function isPassing(error: unknown): error is CodedError {
  const codes = ['REMOTE_UNREACHABLE', 'REMOTE_FAILED', 'SYNC_CUT', 'STORE_LOCKED']
  return error instanceof CodedError && codes.includes(error.code)
}
