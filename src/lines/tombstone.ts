/**
 * The value of a tombstone: which lines of its run a change deleted.
 *
 * Ranges in ascending order, at least one line between two of them, each a tiny ToyTLV record holding a
 * ZipUint64Pair (first line, how many more):
 *
 *     lines 5 and 9..11   ->   31 05   32 09 02
 *
 * @module
 */
import { CodedError } from '../base/error.js'
import { TINY_MAX, TlvReader, TlvWriter } from '../rdx/tlv.js'
import { type UintPair, unzipPair, zipPair } from '../rdx/zip.js'

/** First byte of a tiny record without a body. */
const TINY = 0x30

/**
 * @param ranges - Pairs `from, to` of line indexes, half-open, ascending, not touching.
 */
export function encodeRanges(ranges: readonly number[]): Uint8Array {
  const writer = new TlvWriter(ranges.length * 3)
  for (let i = 0; i < ranges.length; i += 2) {
    const from = ranges[i] as number
    writer.tiny('R', zipPair(from, (ranges[i + 1] as number) - from - 1))
  }
  return writer.view()
}

/**
 * Reads the ranges in `bytes[start, end)`.
 *
 * A third of a file's entries are tombstones, and nearly all of them small; so a tiny record is read in place, and most pairs
 * without a call.
 *
 * @param count - Lines of the run, where they have been counted.
 * @returns Pairs `from, to`, half-open.
 * @throws {CodedError} `BAD_RECORD` for bytes that `encodeRanges` does not write for a run of `count` lines.
 */
export function decodeRanges(
  bytes: Uint8Array,
  count = Number.MAX_SAFE_INTEGER,
  start = 0,
  end = bytes.length,
): number[] {
  const ranges: number[] = []
  let least = 0
  for (let at = start; at < end; ) {
    const body = at + 1
    const next = body + (bytes[at] as number) - TINY
    const tiny = next >= body && next <= body + TINY_MAX && next <= end
    const first = bytes[body] as number
    const second = bytes[body + 1] as number
    let from = first
    let more = 0
    // Pairs of one to three bytes: `from` of one, and nothing; of one each; of two and one. None is longer than it needs be.
    const small = tiny && (next === body + 1 ? first > 0 : (next === body + 2 || next === body + 3) && second > 0)
    if (!small) {
      const pair = tiny ? unzipPair(bytes, body, next) : largePair(bytes, at, end)
      from = pair.big
      more = pair.lil
    } else if (next === body + 2) {
      more = second
    } else if (next === body + 3) {
      from += second << 8
      more = bytes[body + 2] as number
    }
    at = tiny ? next : at + 2 + first
    if (from < least || from + more >= count) {
      throw new CodedError(
        'BAD_RECORD',
        `A tombstone names lines ${from} to ${from + more} of a run of ${count} lines.`,
      )
    }
    ranges.push(from, from + more + 1)
    least = from + more + 2
  }
  if (ranges.length === 0) throw new CodedError('BAD_RECORD', 'A tombstone names no lines.')
  return ranges
}

/** The pair in a record at `at` that is not tiny, or the error that it is none. */
function largePair(bytes: Uint8Array, at: number, end: number): UintPair {
  return unzipPair(new TlvReader(bytes, at, end).tiny('R'))
}
