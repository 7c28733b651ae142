/**
 * Messages in a stream of bytes: ToyTLV records, short or long, one after another.
 *
 * Nobody is believed about a length: memory is taken as bytes arrive, twice as many at most, and a message over the limit
 * is refused at its header.
 * @module
 */
import type { Writable } from 'node:stream'
import { CodedError } from '../base/error.js'
import { type Letter, readRecord } from '../rdx/tlv.js'

/** Most bytes of one message. A value is 32 MiB at most (`batch.ts`), and a page little more than what is in it. */
export const MESSAGE_LIMIT = 1 << 27

/** Bytes to set aside for a message of which only the beginning is there. */
const FIRST_ROOM = 1 << 16

/** One record: its letter, in upper case, and its body, which may share memory with other messages. */
export interface Message {
  readonly letter: Letter
  readonly body: Uint8Array
}

/**
 * The messages of a stream, as they become whole. One that is cut off by the end of the stream is dropped.
 *
 * @throws {CodedError} `BAD_RECORD` for bytes that begin no message, and for one over the limit.
 */
export async function* readMessages(source: AsyncIterable<Uint8Array>): AsyncGenerator<Message, void, undefined> {
  let held = new Uint8Array(0)
  let length = 0
  let need = 1
  for await (const chunk of source) {
    // A plain view: a Buffer, which sockets give, has methods of the same names that do something else.
    let bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)
    if (length > 0) {
      held = withRoom(held, length, length + chunk.length, need)
      held.set(chunk, length)
      length += chunk.length
      if (length < need) continue
      bytes = held.subarray(0, length)
    }
    let offset = 0
    for (;;) {
      const record = readRecord(bytes, offset)
      if (record.kind === 'bad') throw bad(record.rule)
      const size = record.kind === 'record' ? record.bodyEnd - offset : record.need
      if (size > MESSAGE_LIMIT) throw bad(`a message of ${size} bytes is longer than any`)
      if (record.kind === 'incomplete') break
      if (record.type === '0') throw bad('a message without a letter')
      yield { letter: record.type, body: bytes.subarray(record.bodyStart, record.bodyEnd) }
      offset = record.bodyEnd
    }
    // What was given out shares the old memory, so the rest begins in memory of its own.
    const rest = bytes.subarray(offset)
    const missing = readRecord(rest, 0)
    need = missing.kind === 'incomplete' ? missing.need : 1
    length = rest.length
    held = new Uint8Array(length === 0 ? 0 : Math.max(length, Math.min(need, FIRST_ROOM)))
    held.set(rest)
  }
}

/** The same bytes in a buffer with room for `size`, and twice that as long as more is needed. */
function withRoom(held: Uint8Array<ArrayBuffer>, length: number, size: number, need: number): Uint8Array<ArrayBuffer> {
  if (size <= held.length) return held
  const grown = new Uint8Array(Math.max(size, Math.min(need, 2 * size)))
  grown.set(held.subarray(0, length))
  return grown
}

/** Writes into a stream no faster than it takes. */
export class MessageWriter {
  readonly #stream: Writable
  /** Settles when the stream takes more, or is closed. */
  #room: Promise<void> | undefined

  constructor(stream: Writable) {
    this.#stream = stream
  }

  /** Writes one message. After the stream was closed it goes nowhere: who reads the other side finds that out. */
  async write(message: Uint8Array): Promise<void> {
    while (this.#room !== undefined) await this.#room
    const stream = this.#stream
    if (stream.destroyed || stream.writableEnded || stream.write(message)) return
    this.#room = new Promise((resolve) => {
      const goOn = (): void => {
        stream.off('drain', goOn).off('close', goOn)
        this.#room = undefined
        resolve()
      }
      stream.once('drain', goOn).once('close', goOn)
    })
    await this.#room
  }
}

function bad(rule: string): CodedError {
  return new CodedError('BAD_RECORD', `Bytes that are no message: ${rule}.`)
}
