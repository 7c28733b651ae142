/**
 * The files of a work tree: what is at a path, and what it holds.
 *
 * Nothing is looked at through a link: where something on the way to a path is none of the tree's own directories, nothing
 * is at the path, as for the scan.
 * @module
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, readlinkSync, type Stats } from 'node:fs'
import { CodedError } from '../base/error.js'
import { diskError } from '../repo/disk-error.js'
import { formatPath } from '../repo/path-text.js'
import { diskPath } from './disk-path.js'

const EXECUTABLE = 0o100755
const REGULAR = 0o100644
const SYMLINK = 0o120000

/** The largest content there is, in bytes: what one buffer of Node's file functions holds. */
export const CONTENT_LIMIT = 2 ** 31 - 1

/** What is at a path of the work tree. */
export interface WorkFile {
  readonly mode: number
  readonly bytes: Uint8Array
  /** Of the moment before the bytes were read. */
  readonly stat: Stats
}

/** The mode that a thing of the file system is recorded with; undefined for what is never recorded. */
export function modeOf(stat: Stats): number | undefined {
  if (stat.isSymbolicLink()) return SYMLINK
  if (!stat.isFile()) return undefined
  return (stat.mode & 0o100) === 0 ? REGULAR : EXECUTABLE
}

/** What is at a path; undefined where there is nothing. @throws {CodedError} `FILE_UNREADABLE`. */
export function lookAt(root: string, path: string): Stats | undefined {
  try {
    const stat = lstatSync(diskPath(root, path), { throwIfNoEntry: false })
    return stat !== undefined && isReachable(root, path) ? stat : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined
    throw readError(error, path)
  }
}

/** Whether all that is on the way to a path is a directory, and none a link to one. */
function isReachable(root: string, path: string): boolean {
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    const stat = lstatSync(diskPath(root, path.slice(0, slash)), { throwIfNoEntry: false })
    if (stat?.isDirectory() !== true) return false
  }
  return true
}

/** How often a file that changes while it is read is read again. */
const ATTEMPTS = 5

/**
 * The file or link at a path; undefined where there is none, or something that is neither.
 *
 * @throws {CodedError} `FILE_CHANGING` for a file that never holds still, `FILE_UNREADABLE`, `FILE_TOO_LARGE`.
 */
export function readWorkFile(root: string, path: string): WorkFile | undefined {
  const place = diskPath(root, path)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const stat = lookAt(root, path)
    const mode = stat && modeOf(stat)
    if (stat === undefined || mode === undefined) return undefined
    if (stat.size > CONTENT_LIMIT) throw tooLarge(path, stat.size)
    try {
      const bytes = mode === SYMLINK ? readlinkSync(place, { encoding: 'buffer' }) : readRegular(place, stat)
      const after = lstatSync(place, { throwIfNoEntry: false })
      if (bytes !== undefined && after !== undefined && sameMoment(stat, after)) return { mode, bytes, stat }
    } catch (error) {
      if (!REPLACED.has((error as NodeJS.ErrnoException).code ?? '')) throw readError(error, path)
    }
  }
  throw new CodedError('FILE_CHANGING', `The file ${formatPath(path)} changes while it is read.`, {
    hint: 'Run the same command again when whoever writes it is done.',
    data: { path: formatPath(path) },
  })
}

/** The error for a file that is larger than a content can be. */
export function tooLarge(path: string, size: number): CodedError {
  return new CodedError('FILE_TOO_LARGE', `${formatPath(path)} is too large: ${size} bytes.`, {
    hint: `A file may have ${CONTENT_LIMIT} bytes. Name it in .weftignore to leave it out.`,
    data: { path: formatPath(path), size },
  })
}

/** Neither through a link, nor waiting for somebody to write into a pipe that stands there by now. */
const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** What the system says of what has become something else since it was looked at. */
const REPLACED = new Set(['EINVAL', 'EISDIR', 'ELOOP', 'ENOENT', 'ENOTDIR', 'ENXIO'])

function readRegular(place: string | Buffer, { ino }: Stats): Uint8Array | undefined {
  const file = openSync(place, READ)
  try {
    const opened = fstatSync(file)
    return opened.isFile() && opened.ino === ino ? readFileSync(file) : undefined
  } finally {
    closeSync(file)
  }
}

function sameMoment(a: Stats, b: Stats): boolean {
  return a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.size === b.size && a.ino === b.ino
}

function readError(error: unknown, path: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException
  if (!(error instanceof Error) || code === undefined || syscall === undefined) return error
  // A name that the file system cannot have is not there.
  if (code === 'ENAMETOOLONG') return diskError(error, formatPath(path))
  return new CodedError('FILE_UNREADABLE', `${formatPath(path)} cannot be read (${code}).`, {
    hint: 'Check who owns it and what its mode allows.',
    cause: error,
    data: { paths: [formatPath(path)] },
  })
}
