/**
 * The files of a work tree: reading one, and putting one in its place.
 *
 * A file is written beside, in `.weft/tmp`, and renamed, so that whoever looks sees the old or the new one. Nothing is
 * written through a link: every directory on the way must be one.
 * @module
 */
import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { fromLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { diskError } from '../repo/disk-error.js'
import { WEFT_DIRECTORY } from '../repo/layout.js'
import { kindOf } from '../repo/mode.js'
import { formatPath } from '../repo/path-text.js'
import { unsafeReason } from '../repo/safe-path.js'
import { below } from '../repo/target.js'

/** Paths that are the same as bytes and as text. The file system takes a text in half the time. */
const ASCII = /^[ -~]*$/

export const EXECUTABLE = 0o100755
export const REGULAR = 0o100644
export const SYMLINK = 0o120000

/** What is at a path of the work tree. */
export interface WorkFile {
  readonly mode: number
  readonly bytes: Uint8Array
  /** Of the moment before the bytes were read. */
  readonly stat: Stats
}

/** A path of the work tree as the file system wants it. */
export function placeOf(root: string, path: string): string | Buffer {
  return ASCII.test(path) ? `${root}/${path}` : below(root, fromLatin1(path))
}

/** The mode that a thing of the file system is recorded with; undefined for what is never recorded. */
export function modeOf(stat: Stats): number | undefined {
  if (stat.isSymbolicLink()) return SYMLINK
  if (!stat.isFile()) return undefined
  return (stat.mode & 0o100) === 0 ? REGULAR : EXECUTABLE
}

/** What is at a path; undefined where there is nothing. */
export function lookAt(root: string, path: string): Stats | undefined {
  try {
    return lstatSync(placeOf(root, path), { throwIfNoEntry: false })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined
    throw diskError(error, formatPath(path))
  }
}

/**
 * Refuses moves that would meet with a directory, or with something that is none where one is needed.
 *
 * @param moves - Paths with what they are to be; undefined for those at which nothing is to be.
 * @throws {CodedError} `PATH_BLOCKED`, `PATH_UNSAFE`.
 */
export function assertRoom(
  root: string,
  moves: readonly { readonly path: string; readonly to: { readonly mode: number } | undefined }[],
): void {
  const removed = new Set(moves.filter(({ to }) => to === undefined).map(({ path }) => path))
  const directories = new Set<string>([''])
  for (const { path, to } of moves) {
    assertSafe(path)
    if (to === undefined || kindOf(to.mode) === 'submodule') continue
    assertParents(root, path, removed, directories)
    if (lookAt(root, path)?.isDirectory() === true) assertEmptied(root, path, path, removed)
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
  for (const name of readdirSync(placeOf(root, directory), { encoding: 'buffer' })) {
    const child = `${directory}/${name.toString('latin1')}`
    if (removed.has(child)) continue
    if (lookAt(root, child)?.isDirectory() !== true)
      throw blocked(path, `a directory with ${formatPath(child)} is there`)
    assertEmptied(root, path, child, removed)
  }
}

/** How often a file that changes while it is read is read again. */
const ATTEMPTS = 5

/**
 * The file or link at a path; undefined where there is none, or something that is neither.
 *
 * @throws {CodedError} `FILE_CHANGING` for a file that never holds still, `DISK_*`.
 */
export function readWorkFile(root: string, path: string): WorkFile | undefined {
  const place = placeOf(root, path)
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const stat = lstatSync(place, { throwIfNoEntry: false })
      const mode = stat && modeOf(stat)
      if (stat === undefined || mode === undefined) return undefined
      const bytes = mode === SYMLINK ? readlinkSync(place, { encoding: 'buffer' }) : readFileSync(place)
      const after = lstatSync(place, { throwIfNoEntry: false })
      if (after !== undefined && sameMoment(stat, after)) return { mode, bytes, stat }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined
    throw diskError(error, formatPath(path))
  }
  throw new CodedError('FILE_CHANGING', `The file ${formatPath(path)} changes while it is read.`, {
    hint: 'Run the same command again when whoever writes it is done.',
    data: { path: formatPath(path) },
  })
}

function sameMoment(a: Stats, b: Stats): boolean {
  return a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.size === b.size && a.ino === b.ino
}

/** Changes files of one work tree. */
export class WorkFiles {
  readonly #root: string
  readonly #temporary: string
  /** Directories that have been seen to be directories. */
  readonly #directories = new Set<string>([''])
  #count = 0

  constructor(root: string) {
    this.#root = root
    this.#temporary = join(root, WEFT_DIRECTORY, 'tmp')
  }

  /**
   * Puts a content at a path, in the place of whatever file or link is there.
   *
   * @throws {CodedError} `PATH_BLOCKED` where a directory stands there or something on the way is none; `PATH_UNSAFE`;
   *   `DISK_*`.
   */
  write(path: string, mode: number, bytes: Uint8Array): void {
    assertSafe(path)
    this.#attempt(path, () => {
      this.#parents(path)
      if (kindOf(mode) === 'submodule') return this.#directory(path)
      mkdirSync(this.#temporary, { recursive: true })
      const temporary = join(this.#temporary, `${process.pid}-${this.#count++}`)
      rmSync(temporary, { force: true })
      if (kindOf(mode) === 'symlink') symlinkSync(Buffer.from(bytes), temporary)
      else writeFile(temporary, bytes, kindOf(mode) === 'executable')
      try {
        this.#rename(temporary, path)
      } catch (error) {
        rmSync(temporary, { force: true })
        throw error
      }
    })
  }

  #rename(temporary: string, path: string): void {
    const place = placeOf(this.#root, path)
    try {
      renameSync(temporary, place)
    } catch (error) {
      // An empty directory that somebody stood in, and that was left for that.
      if (!this.#removeDirectory(path)) throw error
      renameSync(temporary, place)
    }
  }

  /** Changes only whether a file may be executed. */
  chmod(path: string, executable: boolean): void {
    this.#attempt(path, () => {
      const place = placeOf(this.#root, path)
      const { mode } = lstatSync(place)
      // Who may read it may execute it.
      chmodSync(place, executable ? mode | ((mode & 0o444) >> 2) : mode & ~0o111)
    })
  }

  /** Takes a file or link away, and directories that are left empty, but for the one that the process works in. */
  remove(path: string): void {
    assertSafe(path)
    this.#attempt(path, () => {
      try {
        unlinkSync(placeOf(this.#root, path))
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'EISDIR' || code === 'EPERM') this.#removeDirectory(path)
        else if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
      }
      for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
        const directory = path.slice(0, slash)
        if (isWorkingDirectory(lookAt(this.#root, directory)) || !this.#removeDirectory(directory)) return
      }
    })
  }

  #removeDirectory(path: string): boolean {
    try {
      rmdirSync(placeOf(this.#root, path))
    } catch {
      return false
    }
    this.#directories.delete(path)
    return true
  }

  #directory(path: string): void {
    mkdirSync(placeOf(this.#root, path), { recursive: true })
  }

  #parents(path: string): void {
    const slash = path.lastIndexOf('/')
    if (slash < 0) return
    const parent = path.slice(0, slash)
    if (this.#directories.has(parent)) return
    this.#parents(parent)
    const place = placeOf(this.#root, parent)
    const stat = lstatSync(place, { throwIfNoEntry: false })
    if (stat === undefined) mkdirSync(place)
    else if (!stat.isDirectory()) throw blocked(path, `${formatPath(parent)} is not a directory`)
    this.#directories.add(parent)
  }

  #attempt(path: string, act: () => void): void {
    try {
      act()
    } catch (error) {
      if (error instanceof CodedError) throw error
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EISDIR' || code === 'ENOTEMPTY' || code === 'EEXIST') throw blocked(path, 'a directory is there')
      throw diskError(error, formatPath(path))
    }
  }
}

/** A shell that stands in a directory that is gone can do nothing any more. */
function isWorkingDirectory(stat: Stats | undefined): boolean {
  const here = lstatSync('.', { throwIfNoEntry: false })
  return stat !== undefined && stat.ino === here?.ino && stat.dev === here.dev
}

function blocked(path: string, why: string): CodedError {
  return new CodedError('PATH_BLOCKED', `The file ${formatPath(path)} cannot be written: ${why}.`, {
    hint: 'Move what is in the way, and run the same command again.',
    data: { path: formatPath(path) },
  })
}

function assertSafe(path: string): void {
  const reason = unsafeReason(path, process.platform)
  if (reason === undefined) return
  throw new CodedError('PATH_UNSAFE', `The path ${formatPath(path)} is not safe to write: ${reason}.`, {
    hint: 'Nothing was written.',
    data: { path: formatPath(path) },
  })
}

function writeFile(place: string, bytes: Uint8Array, executable: boolean): void {
  const file = openSync(place, 'wx', executable ? 0o777 : 0o666)
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written)
  } finally {
    closeSync(file)
  }
}
