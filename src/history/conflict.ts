/**
 * Conflicts: what a merge could not decide, as plain data that JSON can hold.
 *
 * Markers in a file are for people; this is for programs, and goes with a version that was committed in conflict: the extra
 * `conflicts` of its note, so that every replica knows. Its bytes are ToyTLV, one record per conflict:
 *
 *     c  conflict   k kind, ASCII   p path
 *                   b, l, r stages of base, left and right, those there are
 *                   g + regions
 *        stage      p path   m mode   i file (8)   n size   h SHA-256 (32), kept as lines, or c SHA-256, kept as chunks
 *        region     m four line numbers of the markers: zipped pair (start, base), and in a second m (middle, end);
 *                     left out where the region has none
 *                   b, l, r the lines of base, left and right
 *        lines      s zipped pair (first line, how many)   t text   a + who:  v version's id (32)   n name, UTF-8
 *
 * @module
 */
import { decodeUtf8, encodeUtf8, fromHex, toHex, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { Markers } from '../lines/markers.js'
import { encodeLseq, LSEQ_BYTES, type Lseq, readLseq } from '../lseq/lseq.js'
import { TlvReader, TlvWriter } from '../rdx/tlv.js'
import { unzipPair, unzipUint, zipPair, zipUint } from '../rdx/zip.js'

/** What sort of conflict. */
export const CONFLICT_KINDS = [
  /** Both sides changed the same lines. */
  'content',
  /** Both sides added a file at one path, with different contents. */
  'add/add',
  /** One side changed a file, the other deleted it. */
  'edit/delete',
  /** One side moved a file, the other deleted it. */
  'rename/delete',
  /** Both sides moved one file, to different paths. */
  'rename/rename',
  /** Two different files are wanted at one path. */
  'two to one',
  /** A file and a directory are wanted at one path. */
  'file/directory',
  /** Both sides changed the mode. */
  'mode',
  /** Both sides changed something that is no text. */
  'binary',
  /** Both sides changed where a link points. */
  'symlink',
  /** Both sides changed which commit a submodule is at. */
  'submodule',
] as const

export type ConflictKind = (typeof CONFLICT_KINDS)[number]

/** What one of the three versions has. JSON-ready: the hash is hex. */
export interface Stage {
  /** Binary string. */
  readonly path: string
  readonly mode: number
  readonly file: Lseq
  readonly size: number
  /** 64 hex digits. */
  readonly sha256: string
  readonly chunked: boolean
}

/** A version that had a part in a region. */
export interface Contributor {
  /** 64 hex digits. */
  readonly version: string
  /** Of its author. */
  readonly name: string
}

/** Lines of one version. */
export interface RegionLines {
  /** The first line's number in that version, from 1; where there are none, that of the line they would stand before. */
  readonly first: number
  readonly count: number
  /** Binary string, newlines included. */
  readonly text: string
  /** The versions of this side that put or deleted lines here, oldest first. None for the base. */
  readonly by: readonly Contributor[]
}

/** Lines that both sides changed, or came near. */
export interface Region {
  readonly base: RegionLines
  readonly left: RegionLines
  readonly right: RegionLines
  /** Where its markers are in the merged text. */
  readonly markers?: Markers
}

/** Something that a merge could not decide. */
export interface Conflict {
  readonly kind: ConflictKind
  /** Where the merged tree has what the conflict is about: binary string. */
  readonly path: string
  readonly base?: Stage
  readonly left?: Stage
  readonly right?: Stage
  /** Where markers stand; none where the conflict is not one of lines. */
  readonly regions: readonly Region[]
}

/** Regions and conflicts beyond this many are no merge but an attack. */
const LIMIT = 1 << 20

/** The bytes of conflicts; none gives none. */
export function encodeConflicts(conflicts: readonly Conflict[]): Uint8Array {
  const out = new TlvWriter(1024)
  for (const { kind, path, base, left, right, regions } of conflicts) {
    out.begin('C').latin1('K', kind).latin1('P', path)
    if (base !== undefined) writeStage(out, 'B', base)
    if (left !== undefined) writeStage(out, 'L', left)
    if (right !== undefined) writeStage(out, 'R', right)
    for (const region of regions) writeRegion(out, region)
    out.end()
  }
  return out.copy()
}

/** @throws {CodedError} `BAD_RECORD` for any other bytes than `encodeConflicts` writes. */
export function decodeConflicts(bytes: Uint8Array): Conflict[] {
  const reader = new TlvReader(bytes)
  const conflicts: Conflict[] = []
  while (!reader.atEnd) {
    const body = reader.enter('C')
    const kind = kindOf(body.expect('K'))
    const path = toLatin1(body.expect('P'))
    const [base, left, right] = [readStage(body, 'B'), readStage(body, 'L'), readStage(body, 'R')]
    const regions: Region[] = []
    while (!body.atEnd) regions.push(readRegion(body.enter('G')))
    conflicts.push({
      kind,
      path,
      ...(base && { base }),
      ...(left && { left }),
      ...(right && { right }),
      regions,
    })
    if (conflicts.length + regions.length > LIMIT) throw bad('there are too many of them')
  }
  return conflicts
}

function kindOf(bytes: Uint8Array): ConflictKind {
  const text = toLatin1(bytes)
  const kind = CONFLICT_KINDS.find((known) => known === text)
  if (kind === undefined) throw bad('one is of an unknown kind')
  return kind
}

type SideLetter = 'B' | 'L' | 'R'

function writeStage(out: TlvWriter, letter: SideLetter, { path, mode, file, size, sha256, chunked }: Stage): void {
  out.begin(letter).latin1('P', path).record('M', zipUint(mode)).record('I', encodeLseq(file.seq, file.stream))
  out
    .record('N', zipUint(size))
    .record(chunked ? 'C' : 'H', hexBytes(sha256))
    .end()
}

function readStage(reader: TlvReader, letter: SideLetter): Stage | undefined {
  const bytes = reader.optional(letter)
  if (bytes === undefined) return undefined
  const body = new TlvReader(bytes)
  const path = toLatin1(body.expect('P'))
  const mode = unzipUint(body.expect('M'))
  const file = body.expect('I')
  const size = unzipUint(body.expect('N'))
  const chunks = body.optional('C')
  const sha256 = chunks ?? body.expect('H')
  body.end()
  if (file.length !== LSEQ_BYTES) throw bad('a file id has the wrong length')
  return { path, mode, file: readLseq(file), size, sha256: hashText(sha256), chunked: chunks !== undefined }
}

function writeRegion(out: TlvWriter, { base, left, right, markers }: Region): void {
  out.begin('G')
  if (markers !== undefined) {
    out.record('M', zipPair(markers.start, markers.base)).record('M', zipPair(markers.middle, markers.end))
  }
  writeLines(out, 'B', base)
  writeLines(out, 'L', left)
  writeLines(out, 'R', right)
  out.end()
}

function readRegion(reader: TlvReader): Region {
  const begin = reader.optional('M')
  let markers: Markers | undefined
  if (begin !== undefined) {
    const { big: start, lil: base } = unzipPair(begin)
    const { big: middle, lil: end } = unzipPair(reader.expect('M'))
    if (!(start >= 1 && start < base && base < middle && middle < end)) throw bad('markers are out of order')
    markers = { start, base, middle, end }
  }
  const [base, left, right] = [readLines(reader, 'B'), readLines(reader, 'L'), readLines(reader, 'R')]
  reader.end()
  return { base, left, right, ...(markers && { markers }) }
}

function writeLines(out: TlvWriter, letter: SideLetter, { first, count, text, by }: RegionLines): void {
  out.begin(letter).record('S', zipPair(first, count)).latin1('T', text)
  for (const { version, name } of by) {
    out.begin('A').record('V', hexBytes(version)).record('N', encodeUtf8(name)).end()
  }
  out.end()
}

function readLines(reader: TlvReader, letter: SideLetter): RegionLines {
  const body = reader.enter(letter)
  const { big: first, lil: count } = unzipPair(body.expect('S'))
  const text = toLatin1(body.expect('T'))
  const by: Contributor[] = []
  while (!body.atEnd) {
    const who = body.enter('A')
    const version = hashText(who.expect('V'))
    const name = decodeUtf8(who.expect('N'))
    who.end()
    if (name === undefined) throw bad('a name is not UTF-8')
    by.push({ version, name })
  }
  return { first, count, text, by }
}

function hexBytes(hex: string): Uint8Array {
  const bytes = fromHex(hex)
  if (bytes?.length !== 32) throw new TypeError(`hash: expected 64 hex digits, got ${hex}`)
  return bytes
}

function hashText(bytes: Uint8Array): string {
  if (bytes.length !== 32) throw bad('a hash has the wrong length')
  return toHex(bytes)
}

function bad(rule: string): CodedError {
  return new CodedError('BAD_RECORD', `A version's conflicts are malformed: ${rule}.`)
}
