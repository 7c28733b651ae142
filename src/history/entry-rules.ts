/**
 * The rules of single entries: what may stand in a version's block, and what a value may be.
 *
 * Signed is not sound: whoever has a key can sign anything. What is checked here needs no other entry; what an entry means
 * among others is for those who read all of a file (admit-contents.ts, verify-contents.ts).
 * @module
 */
import { toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { decodeOrigins, holdsOrigins } from '../lines/origin.js'
import { RUN_LINES_LIMIT } from '../lines/position.js'
import { countLines } from '../lines/split.js'
import { decodeRanges } from '../lines/tombstone.js'
import { LSEQ_BYTES, type Lseq, lseqOfKey, readLseq } from '../lseq/lseq.js'
import { decodeConflicts } from './conflict.js'
import { extraOf } from './extra.js'
import { FILE_PREFIX_BYTES, isTombstoneKey } from './keys.js'
import { CONFLICTS_EXTRA, decodeNote } from './note.js'
import { decodePathEntry, type PathEntry } from './path-entry.js'
import { decodeRefValue } from './refs.js'

/** The version whose block an entry's lseq is in. */
export interface Holder {
  readonly stream: number
  readonly first: number
  readonly last: number
  /** Undefined in a refs stream. */
  readonly tree: Uint8Array | undefined
}

/** Bytes of a hash in a recipe. */
export const HASH_BYTES = 32

/** Kinds of entries that a version of contents adds, and one of refs. */
const CONTENT_KINDS = 'BCLNP'
const REFS_KINDS = 'NR'

/** Directories in directories: as many as git takes (core.maxTreeDepth), and less than what a walk over trees has a stack for. */
const MAX_DEPTH = 2048

/** Streams of a repository: ids of 24 bits would clash long before. */
const MAX_STREAMS = 1 << 16

/** Greatest content that can be held in one piece, as readers of chunks do. */
const MAX_SIZE = 2 ** 32

/** What is wrong with an entry's place: what a version of this kind does not add, or not there. Half a sentence. */
export function placeFault(key: Uint8Array, value: Uint8Array, holder: Holder): string | undefined {
  const kind = String.fromCharCode(key[0] as number)
  if (!(holder.tree === undefined ? REFS_KINDS : CONTENT_KINDS).includes(kind)) {
    return `An entry of kind ${kind} does not belong into a version of ${holder.tree === undefined ? 'refs' : 'contents'}.`
  }
  if (kind === 'N' && lseqOfKey(key).seq !== holder.last) return 'A note does not stand where its version does.'
  if (kind !== 'L' || !isTombstoneKey(key) || !holdsOrigins(value)) return undefined
  const run = runOf(key)
  if (run !== undefined && run.stream === holder.stream && run.seq >= holder.first && run.seq <= holder.last) {
    return undefined
  }
  return 'Origins stand beside lines that another version put.'
}

/** Full key of the run beside which a tombstone or origins stand. */
export function besideKey(key: Uint8Array): Uint8Array {
  return key.subarray(0, key.length - LSEQ_BYTES - 1)
}

/** Lseq of the run beside which a tombstone or origins stand; undefined where the key has no room for one. */
export function runOf(key: Uint8Array): Lseq | undefined {
  const end = key.length - LSEQ_BYTES - 1
  return end > FILE_PREFIX_BYTES + LSEQ_BYTES ? readLseq(key, end - LSEQ_BYTES) : undefined
}

/**
 * Reads a value as those will who ask for it.
 *
 * @returns How many seqs the entry takes, beginning with the one in its key: one, or one for each line.
 * @throws {CodedError} `BAD_RECORD`, `BAD_WEAVE`, `CONTENT_DAMAGED` for what no writer makes.
 */
export function checkValue(key: Uint8Array, value: Uint8Array): number {
  switch (String.fromCharCode(key[0] as number)) {
    case 'B':
      if (value.length % HASH_BYTES !== 0) throw new CodedError('BAD_RECORD', 'A list of chunks is malformed.')
      return 1
    case 'C':
      if (crypto.sha256Binary(value) === toLatin1(key, 1, 1 + HASH_BYTES)) return 1
      throw new CodedError('CONTENT_DAMAGED', 'A chunk is not the content that it is named after.')
    case 'L':
      return checkLines(key, value)
    case 'N':
      checkNote(value)
      return 1
    case 'P':
      checkPath(key, value)
      return 1
    case 'R':
      if ((decodeRefValue(value).vector?.length ?? 0) <= MAX_STREAMS) return 1
      throw new CodedError('BAD_RECORD', 'A snapshot covers more streams than a repository can have.')
    default:
      return 1
  }
}

function checkLines(key: Uint8Array, value: Uint8Array): number {
  if (isTombstoneKey(key)) {
    if (runOf(key) === undefined) throw new CodedError('BAD_WEAVE', 'A tombstone stands without its run.')
    if (holdsOrigins(value)) decodeOrigins(value)
    else decodeRanges(value)
    return 1
  }
  if (key.length <= FILE_PREFIX_BYTES + LSEQ_BYTES) {
    throw new CodedError('BAD_WEAVE', 'A line entry has a key too short for a position.')
  }
  const count = countLines(value)
  if (count === 0) throw new CodedError('BAD_WEAVE', 'A run has no lines.')
  if (count >= RUN_LINES_LIMIT) throw new CodedError('BAD_WEAVE', `A run has ${count} lines, which is too many.`)
  return count
}

/** @throws {CodedError} `BAD_RECORD` for a note that cannot be read, or holds conflicts that cannot. */
export function checkNote(value: Uint8Array): void {
  const conflicts = extraOf(decodeNote(value), CONFLICTS_EXTRA)
  if (conflicts !== undefined) decodeConflicts(conflicts)
}

/** @throws {CodedError} `BAD_RECORD` for a path entry that cannot be read, or a path that no tree can hold. */
export function checkPath(key: Uint8Array, value: Uint8Array): PathEntry {
  const entry = decodePathEntry(value)
  if ('file' in entry && entry.size >= MAX_SIZE) {
    throw new CodedError('BAD_RECORD', `A path entry promises ${entry.size} bytes, which nobody can hold.`)
  }
  let depth = 0
  for (let at = key.indexOf(SLASH); at >= 0; at = key.indexOf(SLASH, at + 1)) depth++
  if (depth > MAX_DEPTH) throw new CodedError('BAD_RECORD', `A path has more than ${MAX_DEPTH} directories.`)
  return entry
}

const SLASH = '/'.charCodeAt(0)
