/**
 * A carrier that does what networks do: it cannot be reached, cuts off in the middle, and comes in pieces of any size. What
 * went over it is kept, to be delivered once more, to anybody, in another order.
 * @module
 */
import { CodedError } from '../../src/base/error.js'
import { answer } from '../../src/sync/answer.js'
import type { SyncContext } from '../../src/sync/context.js'
import type { Call, Exchange, Peer } from '../../src/sync/exchange.js'
import { exchangePair } from '../../src/sync/memory.js'

/** What goes wrong with a connection. */
export interface Trouble {
  /** Nobody answers. */
  readonly unreachable?: boolean
  /** Bytes after which the connection is cut, in the direction to the answering side or back. */
  readonly cutThere?: number | undefined
  readonly cutBack?: number | undefined
  /** Chooses sizes of the pieces in which bytes arrive: 1 to the given length. */
  readonly piece?: ((length: number) => number) | undefined
}

/** What went over a connection, whole. */
export interface Transcript {
  readonly there: Buffer
  readonly back: Buffer
}

const BOTH = { read: true, write: true } as const

/** A replica that is reached over such a carrier. */
export class WirePeer implements Peer {
  readonly url: string
  readonly isInteractive: boolean
  readonly #open: () => SyncContext
  readonly #trouble: (call: number) => Trouble
  #calls = 0
  #answers: Promise<void>[] = []
  #lines: Line[] = []
  /** What the answering side threw that was not to be expected. */
  readonly faults: unknown[] = []

  constructor(
    url: string,
    open: () => SyncContext,
    isInteractive: boolean,
    trouble: (call: number) => Trouble = () => ({}),
  ) {
    this.url = url
    this.#open = open
    this.isInteractive = isInteractive
    this.#trouble = trouble
  }

  async call(): Promise<Call> {
    const trouble = this.#trouble(this.#calls++)
    if (trouble.unreachable === true) throw new CodedError('REMOTE_UNREACHABLE', `${this.url} cannot be reached.`)
    const line = new Line(trouble)
    this.#lines.push(line)
    this.#answers.push(this.#answer(line.answering))
    return line.asking
  }

  async #answer(exchange: Exchange): Promise<void> {
    try {
      await answer(this.#open(), exchange, BOTH, { listen: 1 })
    } catch (error) {
      if (!(error instanceof CodedError)) this.faults.push(error)
    }
  }

  /** Cuts all that is under way. */
  cut(): void {
    for (const line of this.#lines) line.cut()
  }

  /** What went there and back, by exchange. */
  get transcripts(): Transcript[] {
    return this.#lines.map(({ there, back }) => ({ there: Buffer.concat(there), back: Buffer.concat(back) }))
  }

  /** Waits for the answering side. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#answers)
  }
}

/** One connection. */
class Line {
  readonly asking: Call
  readonly answering: Exchange
  readonly there: Uint8Array[] = []
  readonly back: Uint8Array[] = []

  constructor({ cutThere, cutBack, piece }: Trouble) {
    const [asking, answering] = exchangePair()
    const close = (): void => asking.close()
    const writer = (to: Pick<Exchange, 'write'>, kept: Uint8Array[], cut: number | undefined) => {
      let left = cut ?? Number.POSITIVE_INFINITY
      return async (bytes: Uint8Array): Promise<void> => {
        let rest = Uint8Array.from(bytes).subarray(0, Math.min(left, bytes.length))
        while (rest.length > 0) {
          const length = piece === undefined ? rest.length : Math.max(1, piece(rest.length))
          const part = rest.subarray(0, length)
          kept.push(part)
          left -= part.length
          rest = rest.subarray(part.length)
          await to.write(part)
        }
        if (left > 0) return
        close()
        throw new CodedError('SYNC_CUT', 'The connection was cut.')
      }
    }
    this.asking = { ...asking, write: writer(asking, this.there, cutThere) }
    this.answering = { ...answering, write: writer(answering, this.back, cutBack) }
  }

  cut(): void {
    this.asking.close()
  }
}

/** Delivers bytes that were recorded, or made up, to a replica; answers what it said. */
export async function deliver(
  context: SyncContext,
  bytes: readonly Uint8Array[],
): Promise<{ back: Buffer; error: unknown }> {
  const [asking, answering] = exchangePair()
  const back: Uint8Array[] = []
  const reading = (async () => {
    for await (const piece of asking.read) back.push(piece)
  })().catch(() => undefined)
  const answered = answer(context, answering, BOTH, { listen: 1 }).then(
    () => undefined,
    (error: unknown) => error,
  )
  try {
    for (const piece of bytes) if (piece.length > 0) await asking.write(piece)
    await asking.end()
  } catch (error) {
    // Who answers may have given up before all has been said.
    if (!(error instanceof CodedError)) throw error
  }
  const error = await answered
  await reading
  return { back: Buffer.concat(back), error }
}
