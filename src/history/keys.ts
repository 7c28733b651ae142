/**
 * Keys: how every kind of entry is named in the store.
 *
 * The first byte is the kind; the last eight are the entry's lseq. In between stands what the entry is about, its
 * *subject*, so that all entries about one thing are neighbours and the newest of them is the last:
 *
 *     I | g or v | id | lseq         index: derived, in no group, never trusted (derived.ts)
 *     K | lseq                       genesis of a stream (seq 0), or of the repository (seq 0, stream 0)
 *     V | lseq                       version: header and signature, at the version's last seq
 *     G | lseq                       groups of that version
 *     P | path | 00 | lseq           what a version made of a path
 *     L | file (8) | position        run of lines; the position ends in the lseq
 *     L | file (8) | position | 00 | lseq    tombstone of lines of that run, or origins of them
 *     N | lseq                       note of a version: its message, and what else was said
 *     B | file (8) | lseq            chunks that make up a file which is not text
 *     C | SHA-256 (32) | lseq        chunk of bytes
 *     R | b, t or s | name | 00 | lseq       branch, tag, snapshot
 *     X | lseq                       version vector: derived too
 *
 * Paths are bytes without NUL, which is why 00 ends them: `a`, then `a/b`, then `a0` is their order.
 * @module
 */
import { fromLatin1, toLatin1, writeLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { LSEQ_BYTES, type Lseq, writeLseq } from '../lseq/lseq.js'

/** Kinds of entries by first byte, in order of the bytes, with a word for people. */
export const KINDS = {
  B: 'recipe',
  C: 'chunk',
  G: 'groups',
  I: 'index',
  K: 'genesis',
  L: 'lines',
  N: 'note',
  P: 'path',
  R: 'ref',
  V: 'version',
  X: 'vector',
} as const

/** A kind's letter. */
export type Kind = keyof typeof KINDS

/** Kinds of refs by the letter behind `R`. */
export const REF_KINDS = { b: 'branch', s: 'snapshot', t: 'tag' } as const

/** A ref kind's letter. */
export type RefKind = keyof typeof REF_KINDS

/** Kind, subject and lseq as one full key. */
function key(head: string, seq: number, stream: number): Uint8Array {
  const out = new Uint8Array(head.length + LSEQ_BYTES)
  writeLatin1(out, head, 0)
  writeLseq(out, head.length, seq, stream)
  return out
}

export function genesisKey(stream: number): Uint8Array {
  return key('K', 0, stream)
}

/** @param lseq - The version's last seq and its stream. */
export function versionKey(seq: number, stream: number): Uint8Array {
  return key('V', seq, stream)
}

export function groupsKey(seq: number, stream: number): Uint8Array {
  return key('G', seq, stream)
}

/** The note of the version at that lseq. */
export function noteKey(seq: number, stream: number): Uint8Array {
  return key('N', seq, stream)
}

/** All entries of a path begin so. */
export function pathPrefix(path: string): Uint8Array {
  return fromLatin1(`P${path}\0`)
}

export function pathKey(path: string, seq: number, stream: number): Uint8Array {
  return key(`P${path}\0`, seq, stream)
}

/** @param run - The run's position. */
export function tombstoneKey(prefix: Uint8Array, run: Uint8Array, seq: number, stream: number): Uint8Array {
  const out = new Uint8Array(prefix.length + run.length + 1 + LSEQ_BYTES)
  out.set(prefix)
  out.set(run, prefix.length)
  writeLseq(out, prefix.length + run.length + 1, seq, stream)
  return out
}

/**
 * Whether a key of kind `L` is beside a run, a tombstone's or that of origins: the byte before its lseq is 0, which no
 * position's digits end in.
 */
export function isTombstoneKey(fullKey: Uint8Array): boolean {
  return fullKey[fullKey.length - LSEQ_BYTES - 1] === 0
}

/** All line entries of a file begin so. */
export function linesPrefix(file: Lseq): Uint8Array {
  return key('L', file.seq, file.stream)
}

export function recipePrefix(file: Lseq): Uint8Array {
  return key('B', file.seq, file.stream)
}

/** @param sha256 - 32-char binary string. */
export function chunkPrefix(sha256: string): Uint8Array {
  return fromLatin1(`C${sha256}`)
}

export function chunkKey(sha256: string, seq: number, stream: number): Uint8Array {
  return key(`C${sha256}`, seq, stream)
}

export function refKey(kind: RefKind, name: string, seq: number, stream: number): Uint8Array {
  return key(`R${kind}${name}\0`, seq, stream)
}

/** A prefix and an lseq as one key. */
export function withLseq(prefix: Uint8Array, seq: number, stream: number): Uint8Array {
  const out = new Uint8Array(prefix.length + LSEQ_BYTES)
  out.set(prefix)
  writeLseq(out, prefix.length, seq, stream)
  return out
}

/** The range of all keys that begin with `prefix`. */
export function prefixRange(prefix: Uint8Array): { gte: Uint8Array; lt: Uint8Array | undefined } {
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 0xff) length--
  if (length === 0) return { gte: prefix, lt: undefined }
  const lt = Uint8Array.from(prefix.subarray(0, length))
  lt[length - 1] = (lt[length - 1] as number) + 1
  return { gte: prefix, lt }
}

/** The range of all keys of a kind. */
export function kindRange(kind: Kind): { gte: Uint8Array; lt: Uint8Array | undefined } {
  return prefixRange(fromLatin1(kind))
}

/** The ranges in which no entry should be: keys that begin with no kind's letter. */
export function strangeRanges(): { gte: Uint8Array; lt: Uint8Array | undefined }[] {
  const kinds = Object.keys(KINDS) as Kind[]
  const ranges = kinds.map((kind, i) => ({
    gte: i === 0 ? new Uint8Array(0) : (kindRange(kinds[i - 1] as Kind).lt as Uint8Array),
    lt: kindRange(kind).gte,
  }))
  return [...ranges, { gte: kindRange(kinds.at(-1) as Kind).lt as Uint8Array, lt: undefined }]
}

/** Bytes of `L | file`, and of `B | file`. */
export const FILE_PREFIX_BYTES = 1 + LSEQ_BYTES

/**
 * How many bytes of a full key are its kind and subject: the name of the group it belongs to.
 *
 * @returns 0 for kinds that are in no group (genesis, version, groups, index).
 * @throws {CodedError} `BAD_KEY` for bytes that no key has.
 */
export function subjectLength(fullKey: Uint8Array): number {
  const length = fullKey.length
  switch (String.fromCharCode(fullKey[0] ?? 0)) {
    case 'I':
    case 'X':
      return 0
    case 'K':
    case 'V':
    case 'G':
      if (length === 1 + LSEQ_BYTES) return 0
      break
    case 'N':
      if (length === 1 + LSEQ_BYTES) return 1
      break
    case 'L':
      if (length > FILE_PREFIX_BYTES + LSEQ_BYTES) return FILE_PREFIX_BYTES
      break
    case 'B':
      if (length === FILE_PREFIX_BYTES + LSEQ_BYTES) return FILE_PREFIX_BYTES
      break
    case 'C':
      if (length === 33 + LSEQ_BYTES) return 33
      break
    case 'P':
      return named(fullKey, 2)
    case 'R':
      if (String.fromCharCode(fullKey[1] ?? 0) in REF_KINDS) return named(fullKey, 3)
      break
  }
  throw badKey(fullKey)
}

/** The length of kind and name before the NUL and the lseq, at least `least`. */
function named(fullKey: Uint8Array, least: number): number {
  const subject = fullKey.length - LSEQ_BYTES - 1
  if (subject < least || fullKey.indexOf(0) !== subject) throw badKey(fullKey)
  return subject
}

function badKey(fullKey: Uint8Array): CodedError {
  return new CodedError('BAD_KEY', `An entry has a key of no known kind: ${JSON.stringify(toLatin1(fullKey))}`)
}
