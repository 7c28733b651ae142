/**
 * An exchange in which the asking side says what it wants, and hears what comes: a clone, versions fetched again, waiting for
 * news.
 * @module
 */
import { CodedError } from '../base/error.js'
import { assertSame } from './answer.js'
import type { Call, Peer } from './exchange.js'
import { badFrame, type Frame, FrameReader, writeFrame } from './frames.js'
import {
  BARE_HELLO,
  decodeDone,
  decodeError,
  decodeHello,
  encodeDone,
  encodeHello,
  FRAME,
  type Hello,
} from './messages.js'

/** What a side wants, and what is to be known of it for that. */
export type Question = Pick<Hello, 'goal'> & Partial<Hello>

/** An exchange that has begun. Disposing of it lets go of the carrier. */
export class Hearing implements Disposable {
  /** What the peer said of itself. */
  readonly hello: Hello
  readonly #call: Call
  readonly #reader: FrameReader

  private constructor(hello: Hello, call: Call, reader: FrameReader) {
    this.hello = hello
    this.#call = call
    this.#reader = reader
  }

  /**
   * Asks, and waits for the peer's first words. Where the question names a repository, the peer's has to be that one.
   *
   * @param signal - Breaks it off.
   * @throws {CodedError} `SYNC_*`, `REPO_OTHER`, `PROTOCOL_OTHER`; what the peer or the carrier throws.
   */
  static async begin(peer: Peer, question: Question, signal?: AbortSignal): Promise<Hearing> {
    const call = await peer.call()
    const stop = (): void => call.close()
    signal?.addEventListener('abort', stop)
    try {
      const asked = { ...BARE_HELLO, ...question }
      await writeFrame(call, FRAME.hello, encodeHello(asked))
      await writeFrame(call, FRAME.done, encodeDone({ tips: asked.tips, refused: [], waiting: 0 }))
      await call.end()
      const reader = new FrameReader(call.read)
      return new Hearing(await readHello(reader, asked.repository), call, reader)
    } catch (error) {
      call.close()
      throw error
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  /** Bytes that have come so far. */
  get bytes(): number {
    return this.#reader.bytes
  }

  /**
   * The frames that bring something, up to the peer's last word.
   *
   * @throws {CodedError} What the peer says to be wrong; `SYNC_FRAME`, `SYNC_CUT`, `BAD_RECORD`.
   */
  async *frames(): AsyncGenerator<Frame> {
    for (let frame = await this.#reader.next(); frame !== undefined; frame = await this.#reader.next()) {
      switch (frame.type) {
        case FRAME.page:
        case FRAME.batch:
        case FRAME.stored:
          yield frame
          break
        case FRAME.done:
          decodeDone(frame.body)
          return
        case FRAME.error:
          throw decodeError(frame.body)
        default:
          throw badFrame(`a frame ${frame.type} has no place here`)
      }
    }
    throw goneError()
  }

  [Symbol.dispose](): void {
    this.#call.close()
  }
}

/**
 * The peer's first frame.
 *
 * @param repository - The one it has to be; undefined where that is to be found out.
 */
export async function readHello(reader: FrameReader, repository: Uint8Array | undefined): Promise<Hello> {
  const frame = await reader.next()
  if (frame === undefined) throw goneError()
  if (frame.type === FRAME.error) throw decodeError(frame.body)
  if (frame.type !== FRAME.hello) throw badFrame('it does not begin with a hello')
  const hello = decodeHello(frame.body)
  if (repository !== undefined) assertSame(repository, hello)
  return hello
}

export function goneError(): CodedError {
  return new CodedError('SYNC_CUT', 'The other side went away before it was done.', {
    hint: 'Run it once more: what came whole is kept.',
  })
}
