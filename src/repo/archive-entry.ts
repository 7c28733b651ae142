/**
 * What archives are made of, whatever their format.
 * @module
 */
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
  /** Binary string; a directory's ends in a slash. */
  readonly name: string
  readonly kind: 'file' | 'executable' | 'symlink' | 'directory'
  /** A symlink's is its target; a directory's is empty. */
  readonly content: Uint8Array
  /** Seconds since 1970, by the clock of who committed. */
  readonly time: number
}
