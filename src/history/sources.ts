/**
 * Sources: versions from which a version took lines without standing on them, as a pick does.
 *
 * Where lines come from is told by origins (lines/origin.ts), which name lines that the version's own past covers. A picked
 * line is none of those, so the header says whose past covers it too: the extra `sources`, one after the other
 *
 *     | lseq (8) | id (32) |
 *
 * A replica that was not sent a source has neither its lines nor itself, and takes them for lines of the version that
 * picked them. Who has it can see that the origins are true.
 * @module
 */
import { concatBytes } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { encodeLseq, LSEQ_BYTES, readLseq } from '../lseq/lseq.js'
import { type Extra, extraOf } from './extra.js'
import type { Header, VersionRef } from './header.js'

const NAME = 'sources'
const REF_BYTES = LSEQ_BYTES + 32

/** @param sources - At least one. */
export function sourcesExtra(sources: readonly VersionRef[]): Extra {
  return { name: NAME, value: concatBytes(...sources.flatMap(({ seq, stream, id }) => [encodeLseq(seq, stream), id])) }
}

/**
 * The sources that a version names.
 *
 * @throws {CodedError} `BAD_RECORD` for bytes that `sourcesExtra` does not write.
 */
export function sourcesOf(version: Pick<Header, 'extra'>): VersionRef[] {
  const value = extraOf(version, NAME)
  if (value === undefined) return []
  if (value.length === 0 || value.length % REF_BYTES !== 0) {
    throw new CodedError('BAD_RECORD', 'The sources of a version are malformed.')
  }
  const sources: VersionRef[] = []
  for (let at = 0; at < value.length; at += REF_BYTES) {
    sources.push({ ...readLseq(value, at), id: Uint8Array.from(value.subarray(at + LSEQ_BYTES, at + REF_BYTES)) })
  }
  return sources
}
