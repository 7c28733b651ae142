/**
 * The header of a version: what is hashed and signed.
 *
 * ToyTLV records in this order; a version's id is the SHA-256 of these bytes.
 *
 *     v  format, ZipUint64: 1
 *     s  stream, 3 bytes
 *     q  ZipUint64Pair (first seq, last seq - first seq): the block of seqs this version took
 *     b  version before in the stream: lseq (8), id (32). For a stream's first version the genesis: lseq of seq 0 and
 *        SHA-256 of the genesis value. Left out where it is the first parent, as it mostly is
 *     p  parent: lseq (8), id (32). Repeated, first parent first
 *     t  root of the tree, 32 bytes. Left out in versions of a refs stream, which have no tree
 *     c  root of the changes, 32 bytes (groups.ts)
 *     a  author: n name, e email, t ZipInt64 seconds since 1970, z ZipInt64 zone in minutes east
 *     o  committer, likewise
 *     x  extra: n name, v value. Repeated, in byte order of the names
 *
 * Text is bytes, and not necessarily UTF-8: what a version was made from may have other encodings.
 * Next to the header the version's entry holds the signature: records h (header), s (Ed25519 over the id, 64 bytes).
 * @module
 */
import { concatBytes, equalBytes } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { encodeLseq, LSEQ_BYTES, type Lseq, readLseq, SEQ_LIMIT } from '../lseq/lseq.js'
import { TlvCursor, TlvReader, TlvWriter } from '../rdx/tlv.js'
import { unzipInt, unzipPair, unzipUint, zipInt, zipPair, zipUint } from '../rdx/zip.js'
import { type Extra, readExtra, writeExtra } from './extra.js'

/** The header format this code reads and writes. */
export const HEADER_FORMAT = 1

/** A version named by place and content. */
export interface VersionRef extends Lseq {
  /** 32 bytes. */
  readonly id: Uint8Array
}

/** Who, and when by their own clock. */
export interface Ident {
  readonly name: Uint8Array
  readonly email: Uint8Array
  /** Seconds since 1970-01-01 UTC. */
  readonly time: number
  /** Minutes east of UTC. */
  readonly zone: number
}

/** All a header says. */
export interface Header {
  readonly stream: number
  readonly first: number
  readonly last: number
  readonly prev: VersionRef
  readonly parents: readonly VersionRef[]
  /** 32 bytes; undefined in a refs stream. */
  readonly tree: Uint8Array | undefined
  /** 32 bytes. */
  readonly changes: Uint8Array
  readonly author: Ident
  readonly committer: Ident
  readonly extra: readonly Extra[]
}

/** Which version it is, and on which others it stands. */
export type VersionLinks = Pick<Header, 'stream' | 'first' | 'last' | 'prev' | 'parents'>

/** A header together with what follows from its bytes, and its signature. */
export interface Version extends Header {
  readonly id: Uint8Array
  readonly signature: Uint8Array
  readonly headerBytes: Uint8Array
}

/** The canonical bytes of a header. */
export function encodeHeader(header: Header): Uint8Array {
  const out = new TlvWriter(512)
    .record('V', zipUint(HEADER_FORMAT))
    .record('S', encodeLseq(0, header.stream).subarray(5))
    .record('Q', zipPair(header.first, header.last - header.first))
  if (!isFirstParent(header)) out.record('B', encodeRef(header.prev))
  for (const parent of header.parents) out.record('P', encodeRef(parent))
  if (header.tree !== undefined) out.record('T', header.tree)
  out.record('C', header.changes)
  writeIdent(out, 'A', header.author)
  writeIdent(out, 'O', header.committer)
  writeExtra(out, header.extra)
  return out.copy()
}

/**
 * The header in `bytes`.
 *
 * @throws {CodedError} `BAD_RECORD` unless the bytes are the canonical form of a header; `FORMAT_NEWER` for a header of a
 *   format that this code does not know.
 */
export function decodeHeader(bytes: Uint8Array): Header {
  const reader = new TlvReader(bytes)
  const { links, repeats } = readLinks(reader)
  const tree = reader.optional('T')
  const header: Header = {
    ...links,
    tree: tree === undefined ? undefined : fixed(tree, 32),
    changes: fixed(reader.expect('C'), 32),
    author: readIdent(reader.enter('A')),
    committer: readIdent(reader.enter('O')),
    extra: readExtra(reader),
  }
  reader.end()
  if (repeats) throw bad('it repeats its first parent as the version before it')
  return header
}

/** The records at the beginning of a header, and whether it says what it should have left out. */
function readLinks(reader: TlvReader): { links: VersionLinks; repeats: boolean } {
  const format = unzipUint(reader.expect('V'))
  if (format !== HEADER_FORMAT) {
    throw new CodedError('FORMAT_NEWER', `A version has header format ${format}; this weft knows ${HEADER_FORMAT}.`, {
      hint: 'Install a newer weft.',
    })
  }
  const stream = readStreamId(reader.expect('S'))
  const { first, last } = readSeqs(reader.expect('Q'))
  const before = reader.optional('B')
  const parents: VersionRef[] = []
  for (let p = reader.optional('P'); p !== undefined; p = reader.optional('P')) parents.push(decodeRef(p))
  const prev = before === undefined ? parents[0] : decodeRef(before)
  if (prev === undefined) throw bad('it names no version before it')
  if (prev.stream !== stream) throw bad('the version before it is of another stream')
  const links = { stream, first, last, prev, parents }
  return { links, repeats: before !== undefined && isFirstParent(links) }
}

/** The value of a version's entry. */
export function encodeVersion(headerBytes: Uint8Array, signature: Uint8Array): Uint8Array {
  return new TlvWriter(headerBytes.length + 72).record('H', headerBytes).record('S', signature).copy()
}

/**
 * The version in an entry's value. Its id is computed; the signature is not checked here.
 *
 * @throws {CodedError} `BAD_RECORD`, `FORMAT_NEWER` as `decodeHeader`.
 */
export function decodeVersion(value: Uint8Array): Version {
  const reader = new TlvReader(value)
  const headerBytes = reader.expect('H')
  const signature = fixed(reader.expect('S'), 64)
  reader.end()
  return { ...decodeHeader(headerBytes), id: crypto.sha256(headerBytes), signature, headerBytes }
}

/** What a version says of itself in one line: which it is, and whose. */
export interface VersionBrief extends Pick<Header, 'stream' | 'first' | 'last' | 'author' | 'extra'> {
  readonly id: Uint8Array
}

/**
 * A part of the version in an entry's value, for those who need little of very many: four times as fast as
 * `decodeVersion`, as what is not asked for is stepped over.
 *
 * @throws {CodedError} `BAD_RECORD`, but not for all that `decodeVersion` refuses.
 */
export function decodeBrief(value: Uint8Array): VersionBrief {
  const headerBytes = new TlvReader(value).expect('H')
  const header = new TlvCursor(headerBytes)
  if (!header.find('S')) throw bad('it does not say of which stream it is')
  const stream = readStreamId(header.body())
  if (!header.find('Q')) throw bad('it does not say which seqs it took')
  const { first, last } = readSeqs(header.body())
  if (!header.find('A')) throw bad('it does not say whose it is')
  const author = readIdent(new TlvReader(headerBytes, header.start, header.end))
  if (!header.find('O')) throw bad('it does not say who committed it')
  const extra = readExtra(new TlvReader(headerBytes, header.end))
  return { stream, first, last, author, extra, id: crypto.sha256(headerBytes) }
}

/**
 * The links of the version in an entry's value, for graphs: nothing is hashed, and what comes behind is not looked at.
 *
 * @throws {CodedError} `BAD_RECORD`, `FORMAT_NEWER`, but not for all that `decodeVersion` refuses.
 */
export function decodeLinks(value: Uint8Array): VersionLinks {
  return readLinks(new TlvReader(new TlvReader(value).expect('H'))).links
}

function isFirstParent({ prev, parents: [parent] }: VersionLinks): boolean {
  return (
    parent !== undefined && parent.seq === prev.seq && parent.stream === prev.stream && equalBytes(parent.id, prev.id)
  )
}

/** A version, named. */
export function refOf({ last: seq, stream, id }: Pick<Version, 'last' | 'stream' | 'id'>): VersionRef {
  return { seq, stream, id }
}

/** Lseq and id of a version, 40 bytes. */
export function encodeRef(ref: VersionRef): Uint8Array {
  return concatBytes(encodeLseq(ref.seq, ref.stream), ref.id)
}

/** @throws {CodedError} `BAD_RECORD` unless there are 40 bytes. */
export function decodeRef(bytes: Uint8Array): VersionRef {
  fixed(bytes, LSEQ_BYTES + 32)
  return { ...readLseq(bytes), id: bytes.subarray(LSEQ_BYTES) }
}

function readStreamId(bytes: Uint8Array): number {
  const [high = 0, middle = 0, low = 0] = fixed(bytes, 3)
  return (high << 16) | (middle << 8) | low
}

function readSeqs(bytes: Uint8Array): { first: number; last: number } {
  const { big: first, lil: more } = unzipPair(bytes)
  if (first < 1 || first + more >= SEQ_LIMIT) throw bad(`seqs ${first} to ${first + more} are out of range`)
  return { first, last: first + more }
}

function writeIdent(out: TlvWriter, letter: 'A' | 'O', ident: Ident): void {
  out
    .begin(letter)
    .record('N', ident.name)
    .record('E', ident.email)
    .record('T', zipInt(ident.time))
    .record('Z', zipInt(ident.zone))
    .end()
}

function readIdent(reader: TlvReader): Ident {
  const ident = {
    name: reader.expect('N'),
    email: reader.expect('E'),
    time: unzipInt(reader.expect('T')),
    zone: unzipInt(reader.expect('Z')),
  }
  reader.end()
  return ident
}

function fixed(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw bad(`a field has ${bytes.length} bytes instead of ${length}`)
  return bytes
}

function bad(rule: string): CodedError {
  return new CodedError('BAD_RECORD', `A version's header is malformed: ${rule}.`)
}
