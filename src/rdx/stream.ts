/**
 * Enveloped records that arrive in pieces.
 *
 * A piece may end anywhere, in the middle of a header too. What is kept is the beginning of at most one record, and the
 * memory for it grows with the bytes that have come, never with the length that a header promises: that is refused at once
 * when it is over the limit.
 * @module
 */
import { type Fault, faultError } from './fault.js'
import { type Letter, readRecord } from './tlv.js'

/** Most bytes of one record that are taken unless told otherwise: 64 MiB. */
export const RECORD_LIMIT = 64 * 1024 * 1024

/** A whole record. */
export interface StreamRecord {
  readonly letter: Letter
  /** Of the record in the stream. */
  readonly offset: number
  /** The state. It shares memory with the piece it came in, if it came in one. */
  readonly tlv: Uint8Array
}

/** Takes pieces and gives records. Never throws: what breaks a rule is `fault`, after which nothing more is given. */
export class RecordStream {
  readonly #limit: number
  /** The beginning of a record that has not come whole: `#kept[0, #length)`. */
  #kept = new Uint8Array(0)
  #length = 0
  /** Bytes that `#kept` must hold before it is worth looking again. */
  #need = 1
  /** Of the next record in the stream. */
  #offset = 0
  #fault: Fault | undefined

  /** @param limit - The most bytes that one record may have, its header included. */
  constructor(limit: number = RECORD_LIMIT) {
    this.#limit = limit
  }

  /** The rule that the stream broke, with the offset in the stream. */
  get fault(): Fault | undefined {
    return this.#fault
  }

  /** Bytes kept because their record is not whole. */
  get pending(): number {
    return this.#length
  }

  /** Takes the next piece and answers the records that are whole with it. */
  push(piece: Uint8Array): StreamRecord[] {
    const records: StreamRecord[] = []
    let at = 0
    // First the record that began in an earlier piece, as often as it takes to learn its length and then to have it.
    while (this.#length > 0 && this.#fault === undefined) {
      const more = Math.min(this.#need - this.#length, piece.length - at)
      this.#keep(piece, at, at + more)
      at += more
      if (this.#length < this.#need) return records
      const end = this.#take(this.#kept, 0, this.#length, records)
      if (end > 0) {
        this.#length = 0
        // The record given out lies in this memory.
        this.#kept = new Uint8Array(0)
      }
    }
    while (at < piece.length && this.#fault === undefined) {
      const end = this.#take(piece, at, piece.length, records)
      if (end === at) break
      at = end
    }
    if (this.#fault === undefined) this.#keep(piece, at, piece.length)
    return records
  }

  /** Says that no more pieces come: a record that is not whole is a fault. */
  end(): Fault | undefined {
    if (this.#length > 0) {
      this.#fault ??= { offset: this.#offset, rule: `the stream ends after ${this.#length} bytes of a record` }
    }
    return this.#fault
  }

  /** Takes the record at `bytes[start, ...)` if it is whole, and answers where it ends, or `start`. */
  #take(bytes: Uint8Array, start: number, end: number, records: StreamRecord[]): number {
    const record = readRecord(bytes, start, end)
    if (record.kind === 'incomplete') {
      this.#need = record.need
      if (record.need > this.#limit)
        this.#refuse(`a record of ${record.need} bytes is over the limit of ${this.#limit}`)
      return start
    }
    if (record.kind === 'bad' || record.type === '0') {
      this.#refuse(record.kind === 'bad' ? record.rule : 'a tiny record has no letter, and none is known here')
      return start
    }
    const length = record.bodyEnd - start
    if (length > this.#limit) {
      this.#refuse(`a record of ${length} bytes is over the limit of ${this.#limit}`)
      return start
    }
    const tlv = bytes.subarray(record.bodyStart, record.bodyEnd)
    records.push({ letter: record.type, offset: this.#offset, tlv })
    this.#offset += length
    return record.bodyEnd
  }

  #refuse(rule: string): void {
    this.#fault = { offset: this.#offset, rule }
  }

  #keep(piece: Uint8Array, start: number, end: number): void {
    const length = this.#length + end - start
    if (length > this.#kept.length) {
      const grown = new Uint8Array(Math.min(Math.max(length, 2 * this.#kept.length), Math.max(this.#need, length)))
      grown.set(this.#kept.subarray(0, this.#length))
      this.#kept = grown
    }
    this.#kept.set(piece.subarray(start, end), this.#length)
    this.#length = length
  }
}

/**
 * Records of a stream of pieces, as they become whole.
 *
 * @param limit - The most bytes that one record may have.
 * @throws {CodedError} `BAD_RECORD`, with the offset in the stream, for what breaks a rule and for a record cut off.
 */
export async function* readRecords(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  limit?: number,
): AsyncGenerator<StreamRecord> {
  const stream = new RecordStream(limit)
  for await (const piece of pieces) {
    yield* stream.push(piece)
    if (stream.fault !== undefined) throw faultError(stream.fault)
  }
  const fault = stream.end()
  if (fault !== undefined) throw faultError(fault)
}
