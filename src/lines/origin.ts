/**
 * Origins: lines that a version put again elsewhere, and the lines they are.
 *
 * A line's place never changes, so where a merge orders lines otherwise than the join of both sides would, it deletes
 * them and puts them anew. An origin entry beside the run says which lines they were, so that blame still names who
 * wrote them. It has the key of a tombstone (run, 00, lseq) and this value, one ToyTLV record per stretch, ascending:
 *
 *     o  lseq of the first line as it was first put (8) | ZipUint64Pair (line of this run, how many more)
 *
 * The lines of a stretch had consecutive lseqs. An origin is never itself a line with an origin: it names the first.
 * @module
 */
import { concatBytes } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { encodeLseq, LSEQ_BYTES, type Lseq, readLseq } from '../lseq/lseq.js'
import { TlvReader, TlvWriter } from '../rdx/tlv.js'
import { unzipPair, zipPair } from '../rdx/zip.js'

/** Lines `[from, to)` of a run, and the lseq that the first of them had at first. */
export interface Origin extends Lseq {
  readonly from: number
  readonly to: number
}

const SHORT_O = 0x6f

/** Whether an entry beside a run, whose value begins at `at`, holds origins; otherwise it is a tombstone. */
export function holdsOrigins(bytes: Uint8Array, at = 0): boolean {
  return bytes[at] === SHORT_O
}

/** @param origins - At least one; ascending, not overlapping. */
export function encodeOrigins(origins: readonly Origin[]): Uint8Array {
  const out = new TlvWriter(16 * origins.length)
  for (const { from, to, seq, stream } of origins) {
    out.record('O', concatBytes(encodeLseq(seq, stream), zipPair(from, to - from - 1)))
  }
  return out.view()
}

/** @throws {CodedError} `BAD_RECORD` for bytes that `encodeOrigins` does not write. */
export function decodeOrigins(value: Uint8Array): Origin[] {
  const reader = new TlvReader(value)
  const origins: Origin[] = []
  while (!reader.atEnd) {
    const body = reader.expect('O')
    if (body.length < LSEQ_BYTES) throw new CodedError('BAD_RECORD', 'An origin is too short.')
    const { big: from, lil: more } = unzipPair(body, LSEQ_BYTES)
    if (from < (origins.at(-1)?.to ?? 0)) throw new CodedError('BAD_RECORD', 'The origins of a run are out of order.')
    origins.push({ from, to: from + more + 1, ...readLseq(body) })
  }
  if (origins.length === 0) throw new CodedError('BAD_RECORD', 'The origins of a run are of no line.')
  return origins
}
