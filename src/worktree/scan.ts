/**
 * The scan: what in a work tree differs from its index.
 *
 * Every directory that may hold something of interest is listed once, and the names are walked side by side with the
 * index. A tracked file whose stat is the one in the index is done with; any other is hashed, unless its size or kind tells
 * enough. No store is opened.
 *
 * Nothing here becomes an object before it is found to differ, and all calls are synchronous: a promise or an object per
 * file would take longer than asking the file system (80,000 files: 120 ms of `lstat`).
 * @module
 */
import { lstatSync, readdirSync, type Stats } from 'node:fs'
import { equalBytes } from '../base/bytes.js'
import { diskError } from '../repo/disk-error.js'
import { WEFT_DIRECTORY } from '../repo/layout.js'
import { unsafeReason } from '../repo/safe-path.js'
import { diskPath } from './disk-path.js'
import { type FileStat, fileClock, fileStat, isSettled } from './file-stat.js'
import { type HashedFile, hashFile } from './hash-file.js'
import type { Columns } from './index-columns.js'
import type { Tracked, WorkIndex } from './index-file.js'
import { Place } from './place.js'
import { CLEAN, isUnchanged, type SiftTask, typeOf } from './sift.js'
import { siftWorkTree } from './sift-threads.js'

/** What to look at. Paths are binary strings. */
export interface ScanOptions {
  /** Files and directories; all where there are none. */
  readonly paths?: readonly string[] | undefined
  /** Whether to list what is ignored. */
  readonly ignored?: boolean | undefined
  /** Whether to hash new files, and those whose size tells that they are modified. */
  readonly hash?: boolean | undefined
  /** Whether the file system keeps the executable bit. */
  readonly executableBits?: boolean | undefined
  /** Threads to use at most; as many as there are cores where it is not said. Two are of use. */
  readonly threads?: number | undefined
}

/** What stands at a path now. */
export interface Found {
  /** As it would be tracked. The mode of a file that is tracked stays, odd as it may be, unless the executable bit differs. */
  readonly mode: number
  readonly size: number
  /** Of the content, 32 bytes; undefined where it was not needed, or the file changed faster than it could be read. */
  readonly sha256: Uint8Array | undefined
  /** With this stat it had that content; undefined also where the stat is too young to be relied on. */
  readonly stat: FileStat | undefined
}

export type ChangeKind = 'added' | 'deleted' | 'modified' | 'mode' | 'type'

/** How a path differs. `modified` may have another mode too; `type` is a file that became a link, or the like. */
export interface WorkChange {
  readonly path: string
  readonly change: ChangeKind
  /** What the index has; undefined where added. */
  readonly tracked?: Tracked | undefined
  /** Undefined where deleted. */
  readonly found?: Found | undefined
}

/** Something that cannot be tracked. */
export interface Special {
  readonly path: string
  readonly kind: 'fifo' | 'socket' | 'device' | 'name'
}

/** The outcome; everything in ascending order of paths. */
export interface Scan {
  /** The work tree. */
  readonly root: string
  readonly changes: readonly WorkChange[]
  /** What could not be read, with the name of the system's error. Whether it changed is not known. */
  readonly unreadable: readonly { readonly path: string; readonly code: string }[]
  /** Untracked pipes, sockets and devices, and names that no work tree may have (repo/safe-path.ts). */
  readonly special: readonly Special[]
  /** The topmost directories in which nothing is tracked and something is new, with a slash behind. */
  readonly newDirectories: readonly string[]
  /** Untracked directories that are repositories of their own. */
  readonly nested: readonly string[]
  /** Tracked paths that the file system takes for another one's name. */
  readonly clashes: readonly { readonly path: string; readonly with: string }[]
  /** What is ignored, directories with a slash behind; empty unless asked for. */
  readonly ignored: readonly string[]
  /** Stats that were found to be true, by number of entry: for `WorkIndex.withStats`. */
  readonly stats: ReadonlyMap<number, FileStat>
}

/**
 * Compares the work tree at `root` with `index`.
 *
 * @throws {CodedError} `DISK_*` when the root itself cannot be listed. What cannot be read below it is in the outcome.
 */
export function scanWorkTree(root: string, index: WorkIndex, options: ScanOptions = {}): Scan {
  return new Scanner(root, index, options).run()
}

const TYPE = 0o170000
const REGULAR = 0o100000
const LINK = 0o120000
const DIRECTORY = 0o040000
const SUBMODULE = 0o160000
const EXECUTABLE = 0o100

const SPECIAL: ReadonlyMap<number, Special['kind']> = new Map([
  [0o010000, 'fifo'],
  [0o140000, 'socket'],
  [0o020000, 'device'],
  [0o060000, 'device'],
])

const GIT_DIRECTORY = '.git'
const ABSENT = { throwIfNoEntry: false } as const

class Scanner {
  readonly #root: string
  readonly #index: WorkIndex
  readonly #columns: Columns
  readonly #options: ScanOptions
  readonly #paths: readonly string[] | undefined
  readonly #executableBits: boolean
  readonly #changes: WorkChange[] = []
  readonly #unreadable: { path: string; code: string }[] = []
  readonly #special: Special[] = []
  readonly #newDirectories: string[] = []
  readonly #nested: string[] = []
  readonly #clashes: { path: string; with: string }[] = []
  readonly #ignored: string[] = []
  readonly #stats = new Map<number, FileStat>()
  readonly #sifted: SiftTask | undefined
  #clock: number | undefined

  constructor(root: string, index: WorkIndex, options: ScanOptions) {
    this.#root = root
    this.#index = index
    this.#columns = index.columns
    this.#options = options
    this.#paths = options.paths?.includes('') === true ? undefined : options.paths
    this.#executableBits = options.executableBits ?? process.platform !== 'win32'
    this.#sifted =
      this.#paths === undefined ? siftWorkTree(root, index, this.#executableBits, options.threads) : undefined
  }

  run(): Scan {
    try {
      if (this.#isClean(0)) this.#cleanDirectory(0, undefined)
      else this.#trackedDirectory(0, this.#list(''), undefined)
    } catch (error) {
      throw diskError(error, this.#root)
    }
    return {
      root: this.#root,
      changes: this.#changes.sort(byPath),
      unreadable: this.#unreadable.sort(byPath),
      special: this.#special.sort(byPath),
      newDirectories: this.#newDirectories.sort(),
      nested: this.#nested.sort(),
      clashes: this.#clashes.sort(byPath),
      ignored: this.#ignored.sort(),
      stats: this.#stats,
    }
  }

  /** The names in a directory, as binary strings in ascending order. */
  #list(prefix: string): string[] {
    const names = readdirSync(diskPath(this.#root, prefix), 'latin1')
    for (let i = 1; i < names.length; i++) {
      if ((names[i - 1] as string) > (names[i] as string)) return names.sort()
    }
    return names
  }

  /** Like `#list`, for a directory below the root, where a failure is part of the outcome. */
  #tryList(prefix: string): string[] | undefined {
    try {
      return this.#list(prefix)
    } catch (error) {
      this.#failed(prefix, error)
      return undefined
    }
  }

  #failed(path: string, error: unknown): void {
    const { code } = error as NodeJS.ErrnoException
    if (typeof code !== 'string') throw error
    this.#unreadable.push({ path, code })
  }

  /** @returns Undefined where nothing is there, or it cannot be told what. */
  #stat(path: string): Stats | undefined {
    try {
      return lstatSync(diskPath(this.#root, path), ABSENT)
    } catch (error) {
      if (!isGone(error)) this.#failed(path, error)
      return undefined
    }
  }

  /** Whether a path was asked for. */
  #wants(path: string): boolean {
    return this.#paths === undefined || this.#paths.some((one) => path === one || path.startsWith(`${one}/`))
  }

  /** Whether a directory, or something below it, was asked for. */
  #wantsBelow(prefix: string): boolean {
    return (
      this.#paths === undefined ||
      this.#paths.some((one) => `${one}/`.startsWith(prefix) || prefix.startsWith(`${one}/`))
    )
  }

  /** Whether the sift says that directory `k` has what it has in the index, and nothing else; directories in it aside. */
  #isClean(k: number): boolean {
    return this.#sifted?.directories[k] === CLEAN
  }

  #cleanDirectory(k: number, outer: Place | undefined): void {
    const prefix = this.#index.directories.prefixes[k] as string
    const place = new Place(this.#root, prefix, () => this.#list(prefix), outer)
    this.#index.directories.eachChild(k, (child) => {
      if (this.#enterTracked(child, place)) return
      this.#missingDirectory(child)
      // The name is there, but is a directory no more.
      const path = (this.#index.directories.prefixes[child] as string).slice(0, -1)
      this.#untracked(path, path.slice(prefix.length), place)
    })
  }

  /** Compares directory `k` of the index with the names that are there. */
  #trackedDirectory(k: number, names: readonly string[], outer: Place | undefined): void {
    const { first, end } = this.#columns
    const { prefixes } = this.#index.directories
    const prefix = prefixes[k] as string
    const place = new Place(this.#root, prefix, () => names, outer)
    const children = new Map<string, number>()
    let at = first[k] as number
    let seen = 0
    /** Walks the files `[at, to)` and the names side by side. */
    const filesTo = (to: number): void => {
      for (; at < to; at++) {
        const name = this.#index.nameAt(at)
        while (seen < names.length && (names[seen] as string) < name) unknown.push(names[seen++] as string)
        const isListed = names[seen] === name
        if (isListed) seen++
        if (this.#wants(prefix + name)) this.#trackedFile(at, prefix + name, name, isListed, place)
      }
    }
    const unknown: string[] = []
    this.#index.directories.eachChild(k, (child) => {
      filesTo(first[child] as number)
      at = end[child] as number
      children.set((prefixes[child] as string).slice(prefix.length, -1), child)
    })
    filesTo(end[k] as number)
    while (seen < names.length) unknown.push(names[seen++] as string)
    const isNested = k !== 0 && (names.includes(GIT_DIRECTORY) || names.includes(WEFT_DIRECTORY))
    for (const [name, child] of children) {
      if (this.#enterTracked(child, place)) place.claim(name)
      else this.#missingDirectory(child)
    }
    if (isNested) return
    for (const name of unknown) if (!place.isClaimed(name)) this.#untracked(prefix + name, name, place)
  }

  /** Looks into a directory of the index. @returns Whether there is one. */
  #enterTracked(child: number, place: Place): boolean {
    const prefix = this.#index.directories.prefixes[child] as string
    if (!this.#wantsBelow(prefix)) return true
    if (this.#isClean(child)) {
      this.#cleanDirectory(child, place)
      return true
    }
    const stats = this.#stat(prefix.slice(0, -1))
    if (stats?.isDirectory() !== true) return false
    const names = this.#tryList(prefix)
    if (names !== undefined) this.#trackedDirectory(child, names, place)
    return true
  }

  /** A directory that is not there any more, with all that was in it. */
  #missingDirectory(k: number): void {
    if (!this.#wantsBelow(this.#index.directories.prefixes[k] as string)) return
    for (let i = this.#columns.first[k] as number; i < (this.#columns.end[k] as number); i++) this.#missing(i)
  }

  #missing(i: number): void {
    // A submodule need not be there, nor does the directory that it would be in.
    if (((this.#columns.mode[i] as number) & TYPE) === SUBMODULE) return
    const tracked = this.#index.at(i)
    if (this.#wants(tracked.path)) this.#changes.push({ path: tracked.path, change: 'deleted', tracked })
  }

  #trackedFile(i: number, path: string, name: string, isListed: boolean, place: Place): void {
    if (this.#sifted?.files[i] === 1) return
    const stats = this.#stat(path)
    if (stats === undefined) {
      if (this.#unreadable.at(-1)?.path !== path) this.#missing(i)
      return
    }
    if (!isListed && this.#isTaken(path, name, place)) return
    if (isUnchanged(this.#columns, i, stats, this.#executableBits)) return
    const type = stats.mode & TYPE
    if (type === DIRECTORY) {
      if (((this.#columns.mode[i] as number) & TYPE) === SUBMODULE) return
      this.#missing(i)
      this.#newDirectory(path, place)
    } else if (type === REGULAR || type === LINK) this.#compare(i, path, stats)
    else {
      this.#missing(i)
      this.#special.push({ path, kind: SPECIAL.get(type) ?? 'device' })
    }
  }

  /**
   * Finds the name under which the file system lists a file that it has, but not under the name that is tracked.
   *
   * @returns Whether that is another tracked file's.
   */
  #isTaken(path: string, name: string, place: Place): boolean {
    const twin = place.claim(name)
    if (twin === undefined || this.#index.find(place.prefix + twin) < 0) return false
    this.#clashes.push({ path, with: place.prefix + twin })
    return true
  }

  #sameBit(a: number, b: number): boolean {
    return !this.#executableBits || ((a ^ b) & EXECUTABLE) === 0
  }

  /** A tracked path at which there is a file or link whose stat says nothing. */
  #compare(i: number, path: string, stats: Stats): void {
    const tracked = this.#index.at(i)
    const isSameType = (stats.mode & TYPE) === typeOf(tracked.mode)
    const mode = isSameType && this.#sameMode(stats.mode, tracked.mode) ? tracked.mode : this.#modeOf(stats)
    const told = !isSameType || stats.size !== tracked.size
    const hashed = told && this.#options.hash !== true ? undefined : this.#hash(path, stats)
    if (hashed === 'unreadable') return
    const found = this.#found(hashed, stats, mode)
    if (!isSameType) this.#changes.push({ path, change: 'type', tracked, found })
    else if (found.sha256 === undefined || !equalBytes(found.sha256, tracked.sha256)) {
      this.#changes.push({ path, change: 'modified', tracked, found })
    } else {
      if (found.stat !== undefined) this.#stats.set(i, found.stat)
      if (mode !== tracked.mode) this.#changes.push({ path, change: 'mode', tracked, found })
    }
  }

  #sameMode(now: number, before: number): boolean {
    return (now & TYPE) === LINK || this.#sameBit(now, before)
  }

  #modeOf(stats: Stats): number {
    if ((stats.mode & TYPE) === LINK) return LINK
    return this.#executableBits && (stats.mode & EXECUTABLE) !== 0 ? 0o100755 : 0o100644
  }

  #found(hashed: HashedFile | undefined, stats: Stats, mode: number): Found {
    if (hashed === undefined) return { mode, size: stats.size, sha256: undefined, stat: undefined }
    const stat = fileStat(hashed.stats)
    const settled = isSettled(stat, this.#clock ?? Number.NEGATIVE_INFINITY)
    return { mode, size: stat.size, sha256: hashed.sha256, stat: settled ? stat : undefined }
  }

  #hash(path: string, stats: Stats): HashedFile | undefined | 'unreadable' {
    // Before the file is looked at, so that no later change has the same time.
    this.#clock ??= fileClock(this.#root)
    try {
      return hashFile(this.#root, path, stats)
    } catch (error) {
      this.#failed(path, error)
      return 'unreadable'
    }
  }

  /** Something that is not in the index. */
  #untracked(path: string, name: string, place: Place): void {
    if (name === WEFT_DIRECTORY || name === GIT_DIRECTORY || !this.#wantsBelow(`${path}/`)) return
    const stats = this.#stat(path)
    if (stats === undefined) return
    const type = stats.mode & TYPE
    const isDirectory = type === DIRECTORY
    if (place.ignores(path, isDirectory)) {
      if (this.#options.ignored === true && this.#wants(path)) this.#ignored.push(isDirectory ? `${path}/` : path)
    } else if (MAY_BE_UNSAFE.test(name) && unsafeReason(name, 'linux') !== undefined) {
      this.#special.push({ path, kind: 'name' })
    } else if (isDirectory) this.#newDirectory(path, place)
    else if (!this.#wants(path)) return
    else if (type === REGULAR || type === LINK) this.#added(path, stats)
    else this.#special.push({ path, kind: SPECIAL.get(type) ?? 'device' })
  }

  #newDirectory(path: string, outer: Place): void {
    const changes = this.#changes.length
    const directories = this.#newDirectories.length
    this.#untrackedDirectory(path, outer)
    if (this.#changes.length === changes) return
    // In place of those inside.
    this.#newDirectories.length = directories
    this.#newDirectories.push(`${path}/`)
  }

  #untrackedDirectory(path: string, outer: Place): void {
    const prefix = `${path}/`
    const names = this.#tryList(prefix)
    if (names === undefined) return
    if (names.includes(GIT_DIRECTORY) || names.includes(WEFT_DIRECTORY)) {
      this.#nested.push(path)
      return
    }
    const place = new Place(this.#root, prefix, () => names, outer)
    for (const name of names) this.#untracked(prefix + name, name, place)
  }

  #added(path: string, stats: Stats): void {
    const hashed = this.#options.hash === true ? this.#hash(path, stats) : undefined
    if (hashed === 'unreadable') return
    this.#changes.push({ path, change: 'added', found: this.#found(hashed, stats, this.#modeOf(stats)) })
  }
}

/** What all names that a work tree may not have look like; most others do not. */
const MAY_BE_UNSAFE = /^[.\xe2\xef]|~1/

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : 1
}

/** Whether an error says that nothing is there by now. */
function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR'
}
