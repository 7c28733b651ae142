/**
 * Values of entries in words: what stands in the store, for people who look at it.
 * @module
 */
import { decodeUtf8Lossy, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { decodeVector } from '../history/derived.js'
import type { Extra } from '../history/extra.js'
import { decodeGenesis, repositoryId } from '../history/genesis.js'
import { decodeGroups } from '../history/groups.js'
import { decodeVersion, type Version, type VersionRef } from '../history/header.js'
import { isTombstoneKey, KINDS, type Kind, REF_KINDS, type RefKind } from '../history/keys.js'
import { decodeNote, type Note } from '../history/note.js'
import { decodePathEntry } from '../history/path-entry.js'
import { decodeRefValue } from '../history/refs.js'
import { decodeOrigins, holdsOrigins, type Origin } from '../lines/origin.js'
import { decodeRanges } from '../lines/tombstone.js'
import { formatLseq, formatStream, type Lseq, lseqOfKey, readLseq } from '../lseq/lseq.js'
import { isoTime, person, textOf } from './describe.js'
import { formatPath } from './path-text.js'

/** Bytes of a chunk that are shown. */
const SHOWN = 32

const HASH_BYTES = 32

/** A word for what an entry is. */
export function kindOfEntry(key: Uint8Array, value: Uint8Array): string {
  const kind = String.fromCharCode(key[0] ?? 0)
  if (kind === 'L') return !isTombstoneKey(key) ? 'run' : holdsOrigins(value) ? 'origins' : 'tombstone'
  return kind in KINDS ? KINDS[kind as Kind] : 'unknown'
}

/** The value of an entry in words; in hex, with the reason, where it is not what its key promises. */
export function describeValue(key: Uint8Array, value: Uint8Array): string {
  try {
    return describe(key, value)
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    return `malformed: ${error.message}\n${toHex(value)}`
  }
}

function describe(key: Uint8Array, value: Uint8Array): string {
  switch (String.fromCharCode(key[0] ?? 0)) {
    case 'K':
      return describeGenesis(key, value)
    case 'V':
      return describeVersion(decodeVersion(value))
    case 'G':
      return lines(decodeGroups(value).map(({ name, prefix }) => `${groupText(name)} ${hexOf(prefix)}`))
    case 'N':
      return describeNote(decodeNote(value))
    case 'P':
      return describePath(value)
    case 'L':
      if (!isTombstoneKey(key)) return decodeUtf8Lossy(value)
      return holdsOrigins(value) ? describeOrigins(decodeOrigins(value)) : describeRanges(decodeRanges(value))
    case 'B':
      return lines(hashesIn(value).map((hash) => `chunk ${hash}`))
    case 'C':
      return `${value.length} bytes: ${toHex(value.subarray(0, SHOWN))}${value.length > SHOWN ? ' ...' : ''}`
    case 'R':
      return describeRef(value)
    case 'X':
      return lines(decodeVector(value).map(lseqText))
    default:
      return toHex(value)
  }
}

function describeGenesis(key: Uint8Array, value: Uint8Array): string {
  if (lseqOfKey(key).stream === 0) return `repository ${toHex(repositoryId(value))}`
  const { id, publicKey, kind } = decodeGenesis(value)
  return lines([`stream of ${kind}`, `key ${toHex(publicKey)}`, `hash ${toHex(id)}`])
}

function describeVersion(version: Version): string {
  const { stream, first, last, prev, parents, tree, changes, author, committer, extra } = version
  const [who, by] = [person(author), person(committer)]
  return lines([
    `version ${toHex(version.id)}`,
    `stream ${formatStream(stream)}, seqs ${first} to ${last}`,
    `after ${refText(prev)}`,
    ...parents.map((parent) => `parent ${refText(parent)}`),
    ...(tree === undefined ? [] : [`tree ${toHex(tree)}`]),
    `changes ${toHex(changes)}`,
    `author ${who.name} <${who.email}> ${isoTime(author.time, author.zone)}`,
    `committer ${by.name} <${by.email}> ${isoTime(committer.time, committer.zone)}`,
    ...extra.map(describeExtra),
    `signature ${toHex(version.signature)}`,
  ])
}

function describeNote({ message, extra }: Note): string {
  return lines([...extra.map(describeExtra), ...(extra.length > 0 ? [''] : []), textOf(message).trimEnd()])
}

function describeExtra({ name, value }: Extra): string {
  return `extra ${name}, ${value.length} bytes: ${toHex(value.subarray(0, SHOWN))}`
}

function describePath(value: Uint8Array): string {
  const entry = decodePathEntry(value)
  if ('deleted' in entry) return `deleted, was file ${lseqText(entry.deleted)}`
  const { mode, file, size, sha256, chunked } = entry
  return `${mode.toString(8).padStart(6, '0')} file ${lseqText(file)}, ${size} bytes in ${chunked ? 'chunks' : 'lines'}, sha256 ${toHex(sha256)}`
}

/** Line numbers count from 1, as people do. */
function describeRanges(ranges: readonly number[]): string {
  const parts: string[] = []
  for (let i = 0; i < ranges.length; i += 2) {
    const [from = 0, to = 0] = ranges.slice(i, i + 2)
    parts.push(to - from === 1 ? `${to}` : `${from + 1} to ${to}`)
  }
  const one = ranges.length === 2 && (ranges[1] as number) - (ranges[0] as number) === 1
  return `deletes ${one ? 'line' : 'lines'} ${parts.join(', ')} of the run`
}

function describeOrigins(origins: readonly Origin[]): string {
  return lines(
    origins.map(
      ({ from, to, seq, stream }) => `lines ${from + 1} to ${to} of the run are ${formatLseq(seq, stream)} on`,
    ),
  )
}

function describeRef(value: Uint8Array): string {
  const { replaces, version, message, gitTags, gitObject, vector } = decodeRefValue(value)
  const said = [
    ...(version === undefined ? [] : [`version ${refText(version)}`]),
    ...(message === undefined ? [] : [`message: ${textOf(message).trimEnd()}`]),
    ...(gitTags ?? []).map((tag) => `git tag object:\n${textOf(tag).trimEnd()}`),
    ...(gitObject === undefined ? [] : [`git ${gitObject.type}, ${gitObject.content.length} bytes`]),
    ...(vector === undefined ? [] : [`vector ${vector.map(lseqText).join(' ')}`]),
  ]
  return lines([...(said.length === 0 ? ['deleted'] : said), ...replaces.map((lseq) => `replaces ${lseqText(lseq)}`)])
}

/** A group's name is the kind and subject of its entries' keys. */
function groupText(name: string): string {
  const kind = name.charAt(0)
  const subject = name.slice(1)
  if (kind === 'L' || kind === 'B') return `${kind}/${lseqText(readLseq(Buffer.from(subject, 'latin1')))}`
  if (kind === 'C') return `C/${hexOf(subject)}`
  if (kind === 'R') return `R/${REF_KINDS[subject.charAt(0) as RefKind]}/${formatPath(subject.slice(1))}`
  return `${kind}/${formatPath(subject)}`
}

function hashesIn(value: Uint8Array): string[] {
  const hashes: string[] = []
  for (let at = 0; at < value.length; at += HASH_BYTES) hashes.push(toHex(value.subarray(at, at + HASH_BYTES)))
  return hashes
}

function lines(parts: readonly string[]): string {
  return parts.map((part) => `${part}\n`).join('')
}

function lseqText({ seq, stream }: Lseq): string {
  return formatLseq(seq, stream)
}

function refText(ref: VersionRef): string {
  return `${lseqText(ref)} ${toHex(ref.id)}`
}

function hexOf(binary: string): string {
  return Buffer.from(binary, 'latin1').toString('hex')
}
