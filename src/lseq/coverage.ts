/**
 * What a state covers, in the form that passes over many entries want it: by stream id, as a table of bytes.
 *
 *     +-------------------+-------+------------------------+
 *     | stream (4)        | 0 (4) | greatest seq (8)       |  ...      streams ascending; little-endian
 *     +-------------------+-------+------------------------+
 *
 * @module
 */
import type { Streams, Vector } from './vector.js'

/** Bytes of a row. */
export const COVERAGE_ROW = 16

/** Which entries a scan wants. */
export class Coverage {
  readonly table: Uint8Array
  /** Of covered entries under one subject (the key without its lseq) only the last is wanted. */
  readonly latest: boolean

  /** @param latest - See there. Default false. */
  constructor(vector: Vector, streams: Streams, latest = false) {
    const rows = [...vector.entries()].map(([slot, seq]) => ({ stream: streams.id(slot), seq }))
    rows.sort((a, b) => a.stream - b.stream)
    this.table = new Uint8Array(rows.length * COVERAGE_ROW)
    this.latest = latest
    const view = new DataView(this.table.buffer)
    rows.forEach(({ stream, seq }, i) => {
      view.setUint32(i * COVERAGE_ROW, stream, true)
      view.setBigUint64(i * COVERAGE_ROW + 8, BigInt(seq), true)
    })
  }
}
