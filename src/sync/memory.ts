/**
 * A carrier within one process: two ends of a pair of pipes.
 * @module
 */
import { CodedError } from '../base/error.js'
import type { Call, Exchange } from './exchange.js'

/** Bytes that may be under way in one direction before the writer has to wait. */
const ROOM = 1 << 20

/** The two ends of one exchange. Closing the first ends both, as when a connection breaks. */
export function exchangePair(): [asking: Call, answering: Exchange] {
  const there = new Pipe()
  const back = new Pipe()
  const close = (): void => {
    there.break()
    back.break()
  }
  return [
    { read: back, write: (bytes) => there.write(bytes), end: () => there.end(), close },
    { read: there, write: (bytes) => back.write(bytes), end: () => back.end() },
  ]
}

/** Bytes in one direction. */
class Pipe implements AsyncIterable<Uint8Array> {
  readonly #pieces: Uint8Array[] = []
  #held = 0
  #state: 'open' | 'ended' | 'broken' = 'open'
  /** Whoever waits for a change of this pipe. */
  #wake: (() => void)[] = []

  async write(bytes: Uint8Array): Promise<void> {
    while (this.#held > ROOM && this.#state === 'open') await this.#change()
    if (this.#state !== 'open') throw cut()
    this.#pieces.push(bytes)
    this.#held += bytes.length
    this.#tell()
  }

  async end(): Promise<void> {
    if (this.#state === 'open') this.#state = 'ended'
    this.#tell()
  }

  break(): void {
    if (this.#state !== 'broken') this.#state = 'broken'
    this.#tell()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const piece = this.#pieces.shift()
        if (piece !== undefined) {
          this.#held -= piece.length
          this.#tell()
          yield piece
        } else if (this.#state === 'ended') return
        else if (this.#state === 'broken') throw cut()
        else await this.#change()
      }
    } finally {
      // Nobody reads any more: who writes must not wait for ever.
      if (this.#state === 'open') this.break()
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake.push(resolve)
    })
  }

  #tell(): void {
    const wake = this.#wake
    this.#wake = []
    for (const resolve of wake) resolve()
  }
}

function cut(): CodedError {
  return new CodedError('SYNC_CUT', 'The connection was cut.', { hint: 'Run it once more: what came whole is kept.' })
}
