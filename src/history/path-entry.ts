/**
 * The value of a path entry: what a version made of a path.
 *
 * Where the version deleted it, one record: x, the file id (lseq) of the file that was there. Otherwise:
 *
 *     m  mode, ZipUint64: type and permission bits as git and stat(2) have them, 0o100644
 *     i  file id, lseq (8)
 *     n  size of the content in bytes, ZipUint64
 *     h  SHA-256 of the content (32), kept as lines       or
 *     c  SHA-256 of the content (32), kept as chunks
 *
 * The content of a symlink is its target; the content of a submodule link is the hex id of the commit it names.
 * @module
 */
import { CodedError } from '../base/error.js'
import { encodeLseq, LSEQ_BYTES, type Lseq, readLseq } from '../lseq/lseq.js'
import { TlvReader, TlvWriter } from '../rdx/tlv.js'
import { unzipUint, zipUint } from '../rdx/zip.js'

/** A path that is there. */
export interface PathPut {
  readonly mode: number
  readonly file: Lseq
  readonly size: number
  /** 32 bytes. */
  readonly sha256: Uint8Array
  /** Whether the content is kept as chunks instead of lines. */
  readonly chunked: boolean
}

/** A path that was deleted. */
export interface PathDelete {
  readonly deleted: Lseq
}

/** What a path entry says. */
export type PathEntry = PathPut | PathDelete

export function encodePathPut(put: PathPut): Uint8Array {
  return new TlvWriter(64)
    .record('M', zipUint(put.mode))
    .record('I', encodeLseq(put.file.seq, put.file.stream))
    .record('N', zipUint(put.size))
    .record(put.chunked ? 'C' : 'H', put.sha256)
    .copy()
}

export function encodePathDelete(file: Lseq): Uint8Array {
  return new TlvWriter(16).record('X', encodeLseq(file.seq, file.stream)).copy()
}

/** @throws {CodedError} `BAD_RECORD` for any other bytes than those two functions write. */
export function decodePathEntry(value: Uint8Array): PathEntry {
  const reader = new TlvReader(value)
  const deleted = reader.optional('X')
  if (deleted !== undefined) {
    reader.end()
    return { deleted: fileId(deleted) }
  }
  const mode = unzipUint(reader.expect('M'))
  const file = fileId(reader.expect('I'))
  const size = unzipUint(reader.expect('N'))
  const chunks = reader.optional('C')
  const sha256 = chunks ?? reader.expect('H')
  reader.end()
  if (sha256.length !== 32) throw new CodedError('BAD_RECORD', 'A path entry has a content hash of the wrong length.')
  return { mode, file, size, sha256, chunked: chunks !== undefined }
}

/**
 * Where the file id stands in the path entry at `offset`, without a look at the rest: for passes over all path entries
 * that want those of a few files.
 *
 * @returns The offset of the 8 bytes; -1 where the bytes do not begin like a path entry.
 */
export function fileIdOffset(bytes: Uint8Array, offset: number): number {
  let at = offset
  if (bytes[at] === 0x6d) at += 2 + (bytes[at + 1] ?? 0)
  const letter = bytes[at]
  return bytes[at + 1] === LSEQ_BYTES && letter === (at === offset ? 0x78 : 0x69) ? at + 2 : -1
}

/** The file id, 8 bytes, that a path entry's value names: both binary strings. For entries that have been decoded before. */
export function fileIdIn(value: string): string {
  const at = value.startsWith('m') ? 2 + value.charCodeAt(1) : 0
  return value.slice(at + 2, at + 2 + LSEQ_BYTES)
}

function fileId(bytes: Uint8Array): Lseq {
  if (bytes.length !== LSEQ_BYTES) throw new CodedError('BAD_RECORD', 'A path entry has a file id of the wrong length.')
  return readLseq(bytes)
}
