/**
 * Archives as zip: deflated by Node, put together by fflate. Unix modes, times as UTC in the field that Info-ZIP made up
 * for it, and in MS-DOS fields, which have no zone, as UTC too.
 * @see PKWARE, APPNOTE.TXT 6.3.10.
 * @see Info-ZIP, proginfo/extrafld.txt, "Extended Timestamp Extra Field".
 * @module
 */
import { deflateRawSync } from 'node:zlib'
import { Zip, ZipPassThrough } from 'fflate'
import { decodeUtf8, fromLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { ArchiveEntry } from './archive-entry.js'
import { formatPath } from './path-text.js'

/** Without extensions that fflate does not write, counts have 16 bits and places 32. */
const MOST_ENTRIES = 0xffff
const MOST_BYTES = 0xffffffff

const UNIX = 3
const DEFLATED = 8
const MODES = { file: 0o100644, executable: 0o100755, symlink: 0o120777, directory: 0o040755 } as const

/** ID of the field with the time. */
const EXTENDED_TIMESTAMP = 0x5455

/** A member whose bytes are deflated where that makes them fewer. Nothing of the content stays with it. */
class Member extends ZipPassThrough {
  protected override process(content: Uint8Array<ArrayBuffer>): void {
    this.ondata(null, this.compression === DEFLATED ? deflateRawSync(content) : content, true)
  }
}

/** The bytes of an archive. @throws {CodedError} `ARCHIVE_LIMIT` where there is more than a zip file can hold. */
export async function* zipOf(entries: AsyncIterable<ArchiveEntry>): AsyncGenerator<Uint8Array> {
  const chunks: Uint8Array[] = []
  let count = 0
  let bytes = 0
  let failure: Error | null = null
  const zip = new Zip((error, chunk) => {
    failure ??= error
    if (chunk === null) return
    chunks.push(chunk)
    bytes += chunk.length
  })
  for await (const entry of entries) {
    if (++count > MOST_ENTRIES || entry.content.length > MOST_BYTES) throw tooMuch()
    add(zip, entry)
    if (bytes > MOST_BYTES) throw tooMuch()
    yield* chunks.splice(0)
  }
  zip.end()
  if (failure !== null) throw failure
  yield* chunks
}

function add(zip: Zip, { name, kind, content, time }: ArchiveEntry): void {
  const member = new Member(memberName(name))
  member.compression = kind === 'file' || kind === 'executable' ? DEFLATED : 0
  member.os = UNIX
  member.attrs = ((MODES[kind] << 16) | (kind === 'directory' ? 0x10 : 0)) >>> 0
  member.mtime = dosTime(time)
  member.extra = { [EXTENDED_TIMESTAMP]: extendedTime(time) }
  zip.add(member)
  member.push(content, true)
}

/**
 * A name in a zip file is UTF-8.
 *
 * @throws {CodedError} `ARCHIVE_LIMIT`.
 */
function memberName(name: string): string {
  const text = decodeUtf8(fromLatin1(name))
  if (text !== undefined) return text
  throw new CodedError(
    'ARCHIVE_LIMIT',
    `The name ${formatPath(name)} is not UTF-8 text, and zip files hold no other.`,
    {
      hint: 'Make it --format tar.gz, or name some of the paths.',
      data: { path: formatPath(name) },
    },
  )
}

/** Flags, 1 for the time of the last change, and seconds since 1970 in 32 bits, signed. */
function extendedTime(time: number): Uint8Array {
  const field = Buffer.alloc(5)
  field.writeUInt8(1)
  field.writeInt32LE(Math.min(time, 2 ** 31 - 1), 1)
  return field
}

/**
 * The time whose local parts, which fflate takes, are the parts of `time` in UTC; within what the fields can say. Where
 * local clocks jump over such a time, it is an hour off.
 */
function dosTime(time: number): Date {
  const utc = new Date(Math.min(Math.max(time, Date.UTC(1980, 0, 1) / 1000), Date.UTC(2099, 11, 31) / 1000) * 1000)
  const day = [utc.getUTCFullYear(), utc.getUTCMonth(), utc.getUTCDate()] as const
  return new Date(...day, utc.getUTCHours(), utc.getUTCMinutes(), utc.getUTCSeconds())
}

function tooMuch(): CodedError {
  return new CodedError('ARCHIVE_LIMIT', 'This is more than a zip file can hold: 65,535 entries, or 4 GB.', {
    hint: 'Make it --format tar.gz, or name some of the paths.',
  })
}
