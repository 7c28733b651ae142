/**
 * Changing files of a work tree. Contents are written beside first, all of them, into `.weft/tmp`: when the disk is full or
 * a content damaged, that is known before the first file is touched. Then each is renamed into its place, so that nobody
 * ever sees half of one.
 *
 * Nothing is written through a link: every directory on the way must be one.
 * @module
 */
import {
  closeSync,
  copyFileSync,
  fstatSync,
  futimesSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { milliseconds } from '../base/clock.js'
import { CodedError } from '../base/error.js'
import { diskError } from '../repo/disk-error.js'
import { WEFT_DIRECTORY } from '../repo/layout.js'
import { kindOf } from '../repo/mode.js'
import { formatPath } from '../repo/path-text.js'
import { diskPath } from './disk-path.js'
import { assertSafe, blocked } from './room.js'
import { lookAt } from './work-files.js'

/** A content written beside; nothing for a submodule, which is a directory. */
export interface Staged {
  readonly place: string
  readonly stat: Stats
}

export class Stage implements Disposable {
  readonly #root: string
  readonly #directory: string
  /** Directories that have been seen to be directories. */
  readonly #directories = new Set<string>([''])
  #count = 0

  /** A stage with nothing on it: what an interrupted command has left is removed. The store's lock is held. */
  constructor(root: string) {
    this.#root = root
    this.#directory = join(root, WEFT_DIRECTORY, 'tmp')
    this.#clear()
  }

  [Symbol.dispose](): void {
    this.#clear()
  }

  #clear(): void {
    try {
      rmSync(this.#directory, { recursive: true, force: true })
    } catch (error) {
      throw diskError(error, this.#directory)
    }
  }

  /**
   * Writes a content beside.
   *
   * @returns Undefined for a submodule.
   * @throws {CodedError} `PATH_UNSAFE`, `DISK_*`.
   */
  add(path: string, mode: number, bytes: Uint8Array): Staged | undefined {
    assertSafe(path)
    const kind = kindOf(mode)
    if (kind === 'submodule') return undefined
    const place = join(this.#directory, String(this.#count++))
    return this.#attempt(path, () => {
      if (this.#count === 1) mkdirSync(this.#directory, { recursive: true })
      if (kind === 'symlink') return { place, stat: makeLink(place, path, bytes) }
      return { place, stat: makeFile(place, bytes, kind === 'executable') }
    })
  }

  /**
   * Puts what was written beside at its path, in the place of whatever file or link is there.
   *
   * @returns Its stat, where it is certainly that of what was put there; undefined otherwise, and for a submodule.
   * @throws {CodedError} `PATH_BLOCKED` where a directory stands there or something on the way is none; `DISK_*`.
   */
  put(path: string, staged: Staged | undefined): Stats | undefined {
    return this.#attempt(path, () => {
      this.#parents(path)
      if (staged === undefined) {
        if (lookAt(this.#root, path)?.isDirectory() !== true) mkdirSync(diskPath(this.#root, path))
        return undefined
      }
      this.#rename(staged.place, path)
      const now = lookAt(this.#root, path)
      const { ino, mtimeMs, size } = staged.stat
      return now !== undefined && now.ino === ino && now.mtimeMs === mtimeMs && now.size === size ? now : undefined
    })
  }

  #rename(from: string, path: string): void {
    const to = diskPath(this.#root, path)
    try {
      // Onto a file that is there some file systems rename only when the new one's bytes are on the disk.
      unlinkSync(to)
    } catch {
      // There is nothing, or something that the rename will tell of.
    }
    try {
      renameSync(from, to)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EXDEV') renameAcross(from, to, path, this.#root)
      else if (lookAt(this.#root, path)?.isDirectory() === true) {
        removeEmpty(this.#root, path)
        renameSync(from, to)
      } else throw error
    }
  }

  /** Takes a file or link away, and directories that are left empty, but for the one that the process works in. */
  remove(path: string): void {
    assertSafe(path)
    this.#attempt(path, () => {
      // What is behind a link is not the work tree's.
      if (lookAt(this.#root, path) === undefined) return
      try {
        unlinkSync(diskPath(this.#root, path))
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'EISDIR' || code === 'EPERM') this.#removeDirectory(path, error)
        else if (code !== 'ENOENT') throw error
      }
      for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
        const directory = path.slice(0, slash)
        if (isWorkingDirectory(lookAt(this.#root, directory)) || !this.#removeDirectory(directory)) return
      }
    })
  }

  /** Removes a directory if it is empty. @param denied - Thrown where it is none at all. */
  #removeDirectory(path: string, denied?: unknown): boolean {
    try {
      rmdirSync(diskPath(this.#root, path))
    } catch (error) {
      if (denied !== undefined && (error as NodeJS.ErrnoException).code === 'ENOTDIR') throw denied
      return false
    }
    this.#directories.delete(path)
    return true
  }

  #parents(path: string): void {
    const slash = path.lastIndexOf('/')
    if (slash < 0) return
    const parent = path.slice(0, slash)
    if (this.#directories.has(parent)) return
    this.#parents(parent)
    const place = diskPath(this.#root, parent)
    const stat = lstatSync(place, { throwIfNoEntry: false })
    if (stat === undefined) mkdirSync(place)
    else if (!stat.isDirectory()) throw blocked(path, `${formatPath(parent)} is not a directory`)
    this.#directories.add(parent)
  }

  #attempt<T>(path: string, act: () => T): T {
    try {
      return act()
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

/**
 * The time that a new file is given, in seconds since 1970: finer than the ticks in which the system counts, so that any
 * later change gives it another one, even within the same tick.
 */
function momentNow(): number {
  return (ORIGIN + milliseconds()) / 1000
}

/** What the steady clock is behind the calendar, in milliseconds. */
const ORIGIN = Date.now() - milliseconds()

function makeFile(place: string, bytes: Uint8Array, executable: boolean): Stats {
  const file = openSync(place, 'wx', executable ? 0o777 : 0o666)
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written)
    const now = momentNow()
    futimesSync(file, now, now)
    return fstatSync(file)
  } finally {
    closeSync(file)
  }
}

function makeLink(place: string, path: string, target: Uint8Array): Stats {
  if (target.length === 0 || target.includes(0)) {
    throw new CodedError('PATH_UNSAFE', `The link ${formatPath(path)} points to what no link can point to.`, {
      data: { path: formatPath(path) },
    })
  }
  symlinkSync(Buffer.from(target), place)
  const now = momentNow()
  lutimesSync(place, now, now)
  return lstatSync(place)
}

/** Removes a directory in which there is nothing but directories. */
function removeEmpty(root: string, path: string): void {
  for (const name of readdirSync(diskPath(root, path), { encoding: 'latin1', withFileTypes: true })) {
    if (name.isDirectory()) removeEmpty(root, `${path}/${name.name}`)
  }
  rmdirSync(diskPath(root, path))
}

/** A rename onto another file system, on which a part of the work tree may lie: by way of a name beside the path. */
function renameAcross(from: string, to: string | Buffer, path: string, root: string): void {
  const slash = path.lastIndexOf('/') + 1
  const beside = diskPath(root, `${path.slice(0, slash)}.weft-${process.pid}`)
  const stat = lstatSync(from)
  try {
    if (stat.isSymbolicLink()) symlinkSync(readlinkSync(from, { encoding: 'buffer' }), beside)
    else {
      copyFileSync(from, beside)
      utimesSync(beside, stat.atimeMs / 1000, stat.mtimeMs / 1000)
    }
    renameSync(beside, to)
  } catch (error) {
    rmSync(beside, { force: true })
    throw error
  }
  unlinkSync(from)
}
