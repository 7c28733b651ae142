/**
 * Whether there is room for files: looked at before an operation touches anything, so that it is refused whole.
 * @module
 */
import { accessSync, constants, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { decodeUtf8Lossy, fromLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { diskError } from '../repo/disk-error.js'
import { WEFT_DIRECTORY } from '../repo/layout.js'
import { kindOf } from '../repo/mode.js'
import { formatPath } from '../repo/path-text.js'
import { unsafeReason } from '../repo/safe-path.js'
import { diskPath } from './disk-path.js'
import { lookAt, modeOf } from './work-files.js'

/** A path, and what is to be there. */
interface Move {
  /** Binary string. */
  readonly path: string
  /** Undefined where nothing is to be. */
  readonly to: { readonly mode: number } | undefined
}

/**
 * Refuses moves that would meet with a directory, with something that is none where one is needed, with what is never
 * replaced (pipes, sockets, devices), or with a directory that may not be written to.
 *
 * @throws {CodedError} `PATH_BLOCKED`, `PATH_COLLISION`, `PATH_UNSAFE`, `DISK_DENIED`.
 */
export function assertRoom(root: string, moves: readonly Move[]): void {
  const removed = new Set(moves.filter(({ to }) => to === undefined).map(({ path }) => path))
  const directories = new Set<string>([''])
  const writable = new Set<string>()
  if (foldsNames(root)) assertDistinct(moves)
  for (const { path, to } of moves) {
    assertSafe(path)
    if (to !== undefined) assertParents(root, path, removed, directories)
    assertWritable(root, path, writable)
    if (to === undefined || kindOf(to.mode) === 'submodule') continue
    const stat = lookAt(root, path)
    if (stat?.isDirectory() === true) assertEmptied(root, path, path, removed)
    else if (stat !== undefined && modeOf(stat) === undefined) throw blocked(path, 'a pipe, socket or device is there')
  }
}

function assertParents(root: string, path: string, removed: ReadonlySet<string>, directories: Set<string>): void {
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    const parent = path.slice(0, slash)
    if (directories.has(parent)) continue
    const stat = lookAt(root, parent)
    if (stat === undefined || removed.has(parent)) return
    if (!stat.isDirectory()) throw blocked(path, `${formatPath(parent)} is not a directory`)
    directories.add(parent)
  }
}

function assertEmptied(root: string, path: string, directory: string, removed: ReadonlySet<string>): void {
  for (const name of readdirSync(diskPath(root, directory), { encoding: 'buffer' })) {
    const child = `${directory}/${name.toString('latin1')}`
    if (removed.has(child)) continue
    if (lookAt(root, child)?.isDirectory() !== true) {
      throw blocked(path, `a directory with ${formatPath(child)} is there`)
    }
    assertEmptied(root, path, child, removed)
  }
}

/** Asks for the directory that a path is in, or the nearest one above that is there. */
function assertWritable(root: string, path: string, writable: Set<string>): void {
  for (let at = path; ; ) {
    at = at.slice(0, Math.max(at.lastIndexOf('/'), 0))
    if (writable.has(at)) return
    if (at !== '' && lookAt(root, at)?.isDirectory() !== true) continue
    try {
      accessSync(diskPath(root, at), constants.W_OK | constants.X_OK)
    } catch (error) {
      throw diskError(error, formatPath(path))
    }
    writable.add(at)
    return
  }
}

/** Whether the file system takes names that differ in case for one. */
export function foldsNames(root: string): boolean {
  return lstatSync(join(root, WEFT_DIRECTORY.toUpperCase()), { throwIfNoEntry: false }) !== undefined
}

/** What is the same for two names that some file system takes for one. */
export function foldName(name: string): string {
  return decodeUtf8Lossy(fromLatin1(name)).normalize('NFC').toLowerCase()
}

function assertDistinct(moves: readonly Move[]): void {
  const taken = new Map<string, string>()
  for (const { path, to } of moves) {
    if (to === undefined) continue
    const folded = foldName(path)
    const other = taken.get(folded)
    if (other !== undefined) {
      throw new CodedError(
        'PATH_COLLISION',
        `The file system cannot tell ${formatPath(path)} from ${formatPath(other)}.`,
        { hint: 'Nothing was changed. Work on a disk that tells upper from lower case.' },
      )
    }
    taken.set(folded, path)
  }
}

/** Whether a file that the file system has at a path is listed under another name. */
export function isAlias(root: string, path: string): boolean {
  const slash = path.lastIndexOf('/')
  const names = readdirSync(diskPath(root, path.slice(0, Math.max(slash, 0))), { encoding: 'latin1' })
  return !names.includes(path.slice(slash + 1))
}

/** The error for a file that cannot be written because of something in its way. */
export function blocked(path: string, why: string): CodedError {
  return new CodedError('PATH_BLOCKED', `The file ${formatPath(path)} cannot be written: ${why}.`, {
    hint: 'Move what is in the way, and run the same command again.',
    data: { path: formatPath(path) },
  })
}

/** @throws {CodedError} `PATH_UNSAFE`. */
export function assertSafe(path: string): void {
  const reason = unsafeReason(path, process.platform)
  if (reason === undefined) return
  throw new CodedError('PATH_UNSAFE', `The path ${formatPath(path)} is not safe to write: ${reason}.`, {
    hint: 'Nothing was written.',
    data: { path: formatPath(path) },
  })
}
