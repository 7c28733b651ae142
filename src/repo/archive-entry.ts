/**
 * What archives are made of, whatever their format.
 * @module
 */
import { decodeUtf8, fromLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'

/** Forms of archives, as they are written behind the dot of a file's name. */
export const ARCHIVE_FORMATS = ['tar', 'tar.gz', 'zip'] as const

/** A form of archives. */
export type ArchiveFormat = (typeof ARCHIVE_FORMATS)[number]

/** The format that a file's name asks for. */
export function formatOfName(name: string): ArchiveFormat | undefined {
  const lower = name.toLowerCase()
  if (lower.endsWith('.tgz')) return 'tar.gz'
  return ARCHIVE_FORMATS.find((format) => lower.endsWith(`.${format}`))
}

/** One thing in an archive. */
export interface ArchiveEntry {
  /** Text; a directory's ends in a slash. */
  readonly name: string
  readonly kind: 'file' | 'executable' | 'symlink' | 'directory'
  /** A symlink's is its target; a directory's is empty. */
  readonly content: Uint8Array
  /** Seconds since 1970, by the clock of who committed. */
  readonly time: number
}

/**
 * A name in an archive is UTF-8.
 *
 * @param bytes - Binary string.
 * @throws {CodedError} `ARCHIVE_LIMIT`.
 */
export function archiveName(bytes: string, path: string): string {
  const text = decodeUtf8(fromLatin1(bytes))
  if (text !== undefined && !text.includes('\0')) return text
  throw new CodedError(
    'ARCHIVE_LIMIT',
    `The name or target of ${path} is not UTF-8 text, and archives hold no other.`,
    {
      hint: 'Name the paths to put in, and leave this one out. `weft restore` writes any name.',
      data: { path },
    },
  )
}
