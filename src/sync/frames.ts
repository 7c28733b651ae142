/**
 * Frames: the ToyTLV records that a stream of bytes consists of, read as they come.
 *
 * A peer may say that a frame is as long as it likes. Nothing is set aside for what has not come: pieces are kept as they
 * are and put together when the frame is whole, and a frame that says to be longer than may be is refused at its header.
 * @module
 */
import { CodedError } from '../base/error.js'
import { encodeRecord, type Letter, readRecord } from '../rdx/tlv.js'
import type { Exchange } from './exchange.js'

/** Bytes of the longest frame: a page of the largest entry there can be, and its header. */
export const FRAME_LIMIT = 40 << 20

/** Bytes of a long record's header, the most that is needed to know a frame's length. */
const HEADER_BYTES = 5

/** One frame. */
export interface Frame {
  readonly type: Letter
  /** Shares memory with nothing that is still to be written. */
  readonly body: Uint8Array
}

/** Reads frames off a stream of bytes. */
export class FrameReader {
  readonly #pieces: AsyncIterator<Uint8Array>
  readonly #limit: number
  /** What has come and has not been given out. */
  #held: Uint8Array[] = []
  #length = 0
  /** Bytes that have come so far. */
  bytes = 0

  constructor(read: AsyncIterable<Uint8Array>, limit = FRAME_LIMIT) {
    this.#pieces = read[Symbol.asyncIterator]()
    this.#limit = limit
  }

  /**
   * The next frame; undefined where the stream ends between two of them.
   *
   * @throws {CodedError} `SYNC_FRAME` for what is no frame, or one that is too long; `SYNC_CUT` where the stream ends within.
   */
  async next(): Promise<Frame | undefined> {
    for (;;) {
      if (this.#length === 0) {
        if (await this.#more()) continue
        return undefined
      }
      const record = readRecord(this.#peek(Math.min(this.#length, HEADER_BYTES)), 0)
      if (record.kind === 'bad') throw badFrame(record.rule)
      if (record.kind === 'record' && record.type === '0') throw badFrame('a frame has no letter')
      const whole = record.kind === 'record' ? record.bodyEnd : record.need
      if (whole > this.#limit) throw badFrame(`a frame of ${whole} bytes is longer than ${this.#limit}`)
      if (whole <= this.#length) return frameIn(this.#take(whole))
      if (await this.#more()) continue
      throw new CodedError(
        'SYNC_CUT',
        `The other side's stream ends in the middle of a frame, after ${this.bytes} bytes.`,
        {
          hint: 'Run it once more: what came whole is kept.',
        },
      )
    }
  }

  /** Gives up: whoever sends is told so where the carrier can. */
  async close(): Promise<void> {
    await this.#pieces.return?.()
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#pieces.next()
    if (done === true) return false
    this.bytes += value.length
    this.#length += value.length
    if (value.length > 0) this.#held.push(value)
    return true
  }

  /** The first bytes of what is held, which stay there. */
  #peek(count: number): Uint8Array {
    const first = this.#held[0] as Uint8Array
    return first.length >= count ? first.subarray(0, count) : this.#joined().subarray(0, count)
  }

  #take(count: number): Uint8Array {
    const all = (this.#held[0] as Uint8Array).length >= count ? (this.#held[0] as Uint8Array) : this.#joined()
    const rest = all.subarray(count)
    if (rest.length > 0) this.#held[0] = rest
    else this.#held.shift()
    this.#length -= count
    return all.subarray(0, count)
  }

  #joined(): Uint8Array {
    const all = new Uint8Array(this.#length)
    let at = 0
    for (const piece of this.#held) {
      all.set(piece, at)
      at += piece.length
    }
    this.#held = [all]
    return all
  }
}

/** The frame that `bytes` are. */
function frameIn(bytes: Uint8Array): Frame {
  const record = readRecord(bytes, 0)
  if (record.kind !== 'record' || record.type === '0') throw badFrame('a frame has no letter')
  return { type: record.type, body: bytes.subarray(record.bodyStart, record.bodyEnd) }
}

/** Writes one frame. */
export function writeFrame({ write }: Pick<Exchange, 'write'>, type: Letter, body: Uint8Array): Promise<void> {
  return write(encodeRecord(type, body))
}

export function badFrame(rule: string): CodedError {
  return new CodedError('SYNC_FRAME', `The other side does not speak as it should: ${rule}.`, {
    hint: 'Is it a weft repository, and of the same version?',
  })
}
