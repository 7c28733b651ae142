/**
 * Keys of entries as text that people can read, and back.
 *
 *     K/<stream>                          genesis of a stream; K/000000 is the repository's
 *     V/<lseq>                            version
 *     G/<lseq>                            groups of a version
 *     N/<lseq>                            note of a version
 *     P/<path>/<lseq>                     path
 *     L/<file>/<position>                 run of lines; the position in hex, its lseq at the end
 *     L/<file>/<position>/<lseq>          tombstone of lines of that run, or origins of them
 *     B/<file>/<lseq>                     recipe
 *     C/<sha256>/<lseq>                   chunk
 *     R/<branch, tag or snapshot>/<name>/<lseq>
 *     I/<version or git>/<beginning of an id>/<lseq>      index
 *     X/<lseq>                            version vector
 *
 * An lseq, and so a file, is `stream-seq`. Paths and names are written as everywhere (path-text.ts); they may have
 * slashes in them, but an lseq has none, and it is last.
 * @module
 */
import { equalBytes, fromHex, fromLatin1, toHex, toLatin1 } from '../base/bytes.js'
import { type IdKind, idKey, vectorKey } from '../history/derived.js'
import {
  chunkKey,
  genesisKey,
  groupsKey,
  isTombstoneKey,
  KINDS,
  kindRange,
  linesPrefix,
  noteKey,
  pathKey,
  prefixRange,
  REF_KINDS,
  type RefKind,
  recipePrefix,
  refKey,
  tombstoneKey,
  versionKey,
  withLseq,
} from '../history/keys.js'
import type { EntryRange } from '../lseq/batch.js'
import { formatLseq, formatStream, LSEQ_BYTES, type Lseq, lseqOfKey, parseLseq, readLseq } from '../lseq/lseq.js'
import { formatPath, unformatPath } from './path-text.js'

/** What the letter behind `I` says, in a word. */
const INDEXES: Readonly<Record<string, string>> = { g: 'git', v: 'version' }

/** Kind and lseq. */
const KIND_BYTES = 1 + LSEQ_BYTES

/** A full key as text. Keys that no writer makes are written in hex, behind a `0x`. */
export function formatKey(key: Uint8Array): string {
  const text = key.length < KIND_BYTES ? undefined : wellFormed(key)
  const same = text !== undefined && equalBytes(parseKey(text) ?? key.subarray(1), key)
  return same ? text : `0x${toHex(key)}`
}

/** The text of a key, if it is as keys of its kind should be. */
function wellFormed(key: Uint8Array): string | undefined {
  const kind = String.fromCharCode(key[0] as number)
  const letter = String.fromCharCode(key[1] as number)
  const end = key.length - LSEQ_BYTES
  const lseq = lseqText(lseqOfKey(key))
  switch (kind) {
    case 'K':
      return `K/${formatStream(lseqOfKey(key).stream)}`
    case 'V':
    case 'G':
    case 'N':
    case 'X':
      return `${kind}/${lseq}`
    case 'P':
      return `P/${formatPath(toLatin1(key, 1, end - 1))}/${lseq}`
    case 'L':
      return formatLines(key, lseq)
    case 'B':
      return `B/${lseqText(readLseq(key, 1))}/${lseq}`
    case 'C':
      return `C/${toHex(key.subarray(1, end))}/${lseq}`
    case 'R':
      return `R/${REF_KINDS[letter as RefKind]}/${formatPath(toLatin1(key, 2, end - 1))}/${lseq}`
    case 'I':
      return `I/${INDEXES[letter]}/${toHex(key.subarray(2, end))}/${lseq}`
    default:
      return undefined
  }
}

function formatLines(key: Uint8Array, lseq: string): string {
  const file = lseqText(readLseq(key, 1))
  if (!isTombstoneKey(key)) return `L/${file}/${toHex(key.subarray(KIND_BYTES))}`
  return `L/${file}/${toHex(key.subarray(KIND_BYTES, key.length - LSEQ_BYTES - 1))}/${lseq}`
}

function lseqText({ seq, stream }: Lseq): string {
  return formatLseq(seq, stream)
}

/** The full key that a text means; undefined where it means none. */
export function parseKey(text: string): Uint8Array | undefined {
  if (text.startsWith('0x')) return fromHex(text.slice(2))
  const [, kind = '', rest = ''] = /^([A-Z])\/(.*)$/s.exec(text) ?? []
  const slash = rest.lastIndexOf('/')
  const subject = rest.slice(0, Math.max(slash, 0))
  const lseq = parseLseq(rest.slice(slash + 1))
  if (kind === 'K') return /^[0-9a-f]{6}$/.test(rest) ? genesisKey(Number.parseInt(rest, 16)) : undefined
  if (kind === 'L') return parseLines(rest.split('/'))
  if (lseq === undefined) return undefined
  const { seq, stream } = lseq
  switch (kind) {
    case 'V':
      return slash < 0 ? versionKey(seq, stream) : undefined
    case 'G':
      return slash < 0 ? groupsKey(seq, stream) : undefined
    case 'N':
      return slash < 0 ? noteKey(seq, stream) : undefined
    case 'P':
      return slash < 0 ? undefined : pathKey(unformatPath(subject), seq, stream)
    case 'B': {
      const file = parseLseq(subject)
      return file && withLseq(recipePrefix(file), seq, stream)
    }
    case 'C': {
      const hash = fromHex(subject)
      return hash?.length === 32 ? chunkKey(toLatin1(hash), seq, stream) : undefined
    }
    case 'R':
      return parseRef(subject, lseq)
    case 'X':
      return slash < 0 ? vectorKey(seq, stream) : undefined
    case 'I':
      return parseIndex(subject, lseq)
    default:
      return undefined
  }
}

function parseLines([fileText = '', hex = '', lseqOrNone, ...more]: readonly string[]): Uint8Array | undefined {
  const file = parseLseq(fileText)
  const position = fromHex(hex)
  if (file === undefined || position === undefined || more.length > 0) return undefined
  const prefix = linesPrefix(file)
  if (lseqOrNone === undefined) return Buffer.concat([prefix, position])
  const lseq = parseLseq(lseqOrNone)
  return lseq && tombstoneKey(prefix, position, lseq.seq, lseq.stream)
}

function parseRef(subject: string, { seq, stream }: Lseq): Uint8Array | undefined {
  const slash = subject.indexOf('/')
  const kind = Object.entries(REF_KINDS).find(([, word]) => word === subject.slice(0, slash))?.[0]
  return kind === undefined ? undefined : refKey(kind as RefKind, unformatPath(subject.slice(slash + 1)), seq, stream)
}

function parseIndex(subject: string, { seq, stream }: Lseq): Uint8Array | undefined {
  const [word, hex = ''] = subject.split('/')
  const letter = Object.entries(INDEXES).find(([, known]) => known === word)?.[0]
  const id = fromHex(hex)
  if (letter === undefined || id === undefined) return undefined
  return idKey(letter as IdKind, id, seq, stream)
}

/**
 * A range of keys that has all those in it whose text begins with `prefix`, and not many others.
 *
 * @returns undefined where no key's text begins so.
 */
export function rangeOfText(prefix: string): EntryRange | undefined {
  const kind = prefix.charAt(0)
  if (kind === '' || kind === '0') return {}
  if (!(kind in KINDS) || (prefix.length > 1 && prefix[1] !== '/')) return undefined
  const parts = prefix.slice(2).split('/')
  const [first = ''] = parts
  if (kind === 'L' || kind === 'B') {
    const file = parts.length > 1 ? parseLseq(first) : undefined
    const position =
      kind === 'L' && parts.length === 2 ? fromHex((parts[1] ?? '').slice(0, (parts[1] ?? '').length & ~1)) : undefined
    if (file !== undefined) {
      const whole = kind === 'L' ? linesPrefix(file) : recipePrefix(file)
      return prefixRange(position === undefined ? whole : Buffer.concat([whole, position]))
    }
  }
  if (kind === 'C') {
    const hash = fromHex(first.slice(0, first.length & ~1))
    if (hash !== undefined) return prefixRange(Buffer.concat([fromLatin1('C'), hash]))
  }
  // The last part may be the beginning of an lseq; a quoted path is not spelt as its bytes are.
  if (kind === 'P' && parts.length > 1 && !first.startsWith('"')) {
    return prefixRange(fromLatin1(`P${unformatPath(parts.slice(0, -1).join('/'))}`))
  }
  return kindRange(kind as keyof typeof KINDS)
}
