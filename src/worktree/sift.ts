/**
 * The sift: which tracked files and directories are as the index has them, told by names and stats alone.
 *
 * It goes over the directories of an index in any order and marks what is clean. What is not marked may be clean all the
 * same: the scan (scan.ts) looks there itself, so a sift may leave out whatever is rare, and do a part twice. Hence two
 * threads can share one, taking a few directories at a time from one counter; everything is in memory that both see.
 *
 * Of the 200 ms in which 80,000 files are compared, 150 are spent in the system and halve with a second thread, which
 * takes 50 to start.
 * @module
 */
import { lstatSync, readdirSync, type Stats } from 'node:fs'
import { toLatin1 } from '../base/bytes.js'
import type { Columns } from './index-columns.js'
import { HAS_STAT } from './index-flags.js'

/** What the sift reads of an index. */
export type SiftColumns = Pick<
  Columns,
  | 'entries'
  | 'directories'
  | 'size'
  | 'mtime'
  | 'ctime'
  | 'inode'
  | 'mode'
  | 'flags'
  | 'nameEnd'
  | 'names'
  | 'parent'
  | 'first'
  | 'end'
>

/** One sift. Survives the way to another thread; arrays are shared if they lie in shared memory. */
export interface SiftTask {
  readonly root: string
  readonly columns: SiftColumns
  /** Path of each directory, with a slash behind it. */
  readonly prefixes: readonly string[]
  readonly executableBits: boolean
  /** 0: the next directory to be taken. 1: how many were done by the other thread. */
  readonly counters: Int32Array
  /** Per directory: 0 not looked at yet, else one of the two below. */
  readonly directories: Uint8Array
  /** Per entry: 1 where the file is as the index has it. */
  readonly files: Uint8Array
}

/** All that is in the directory is as in the index, and there is nothing else. */
export const CLEAN = 1
/** There is more to look at. */
export const UNCERTAIN = 2

/** Directories that are taken at a time. */
const BATCH = 4

const NEXT = 0
const DONE = 1

const TYPE = 0o170000
const LINK = 0o120000
const SUBMODULE = 0o160000
const REGULAR = 0o100000
const EXECUTABLE = 0o100
const ABSENT = { throwIfNoEntry: false } as const

/** Which type of file on disk a tracked mode stands for. Odd historic modes are files. */
export function typeOf(mode: number): number {
  const type = mode & TYPE
  return type === LINK || type === SUBMODULE ? type : REGULAR
}

/** Whether entry `i` has the stat that it has in the index, so that its content is the same, and the mode as well. */
export function isUnchanged(columns: SiftColumns, i: number, stats: Stats, executableBits: boolean): boolean {
  const was = columns.mode[i] as number
  return (
    stats.mtimeMs === columns.mtime[i] &&
    stats.size === columns.size[i] &&
    stats.ctimeMs === columns.ctime[i] &&
    stats.ino === columns.inode[i] &&
    ((columns.flags[i] as number) & HAS_STAT) !== 0 &&
    (stats.mode & TYPE) === typeOf(was) &&
    (!executableBits || ((stats.mode ^ was) & EXECUTABLE) === 0 || (was & TYPE) === LINK)
  )
}

/** Sifts what nobody has taken yet. @param isOther - Whether this is the second thread. */
export function sift(task: SiftTask, isOther: boolean): void {
  const { counters, columns } = task
  for (;;) {
    const from = Atomics.add(counters, NEXT, BATCH)
    if (from >= columns.directories) return
    const to = Math.min(from + BATCH, columns.directories)
    for (let k = from; k < to; k++) siftOne(task, k)
    if (!isOther) continue
    Atomics.add(counters, DONE, 1)
    Atomics.notify(counters, DONE)
  }
}

/** Milliseconds without news from the other thread after which its work is done here. */
const PATIENCE = 20

/** Waits for what the other thread has taken, and does it where that takes too long. */
export function siftRest(task: SiftTask): void {
  const { counters, directories } = task
  for (let k = 0; k < directories.length; k++) {
    for (;;) {
      const done = Atomics.load(counters, DONE)
      if (Atomics.load(directories, k) !== 0) break
      if (Atomics.wait(counters, DONE, done, PATIENCE) === 'timed-out') siftOne(task, k)
    }
  }
}

function siftOne(task: SiftTask, k: number): void {
  let state = UNCERTAIN
  try {
    if (isClean(task, k)) state = CLEAN
  } catch (error) {
    // What the system refuses is found again, and told, by the scan.
    if (typeof (error as NodeJS.ErrnoException).code !== 'string') throw error
  }
  Atomics.store(task.directories, k, state)
}

/** Names that are the same as bytes and as text; others are left to the scan. */
const ASCII = /^[ -~]*$/

function isClean(task: SiftTask, k: number): boolean {
  const { root, columns, prefixes, executableBits, files } = task
  const prefix = prefixes[k] as string
  if (!ASCII.test(prefix)) return false
  const directory = `${root}/${prefix}`
  if (k > 0 && lstatSync(directory.slice(0, -1), ABSENT)?.isDirectory() !== true) return false
  const listed = readdirSync(directory, 'latin1')
  const children = childNames(task, k)
  let clean = true
  let seen = 0
  /** Passes over names before `name`, which must be those of directories. */
  const passTo = (name: string | undefined): void => {
    for (; seen < listed.length && listed[seen] !== name; seen++) {
      if (name !== undefined && (listed[seen] as string) > name) break
      if (children?.delete(listed[seen] as string) !== true) clean = false
    }
  }
  eachRun(columns, k, (from, to) => {
    const start = from === 0 ? 0 : (columns.nameEnd[from - 1] as number)
    const text = toLatin1(columns.names, start, columns.nameEnd[to - 1])
    if (!ASCII.test(text)) clean = false
    else {
      for (let i = from, at = 0; i < to; i++) {
        const next = (columns.nameEnd[i] as number) - start
        const name = text.slice(at, next)
        at = next
        if (listed[seen] !== name) passTo(name)
        if (listed[seen] !== name) clean = false
        else {
          seen++
          const stats = lstatSync(directory + name, ABSENT)
          if (stats !== undefined && isUnchanged(columns, i, stats, executableBits)) files[i] = 1
          else clean = false
        }
      }
    }
  })
  passTo(undefined)
  // A directory that is missing is found out when its own turn comes.
  return clean
}

/** Names of the directories in a directory, to be crossed out; none where there are none. */
function childNames({ columns, prefixes }: SiftTask, k: number): Set<string> | undefined {
  const { parent, first, end, directories } = columns
  const from = (prefixes[k] as string).length
  let names: Set<string> | undefined
  for (let c = k + 1; c < directories && (first[c] as number) < (end[k] as number); c++) {
    if (parent[c] !== k) continue
    names ??= new Set()
    names.add((prefixes[c] as string).slice(from, -1))
  }
  return names
}

/** Calls `visit` with each run of entries `[from, to)` that are right in directory `k`. */
function eachRun(columns: SiftColumns, k: number, visit: (from: number, to: number) => void): void {
  const { parent, first, end, directories } = columns
  let at = first[k] as number
  for (let c = k + 1; c < directories && (first[c] as number) < (end[k] as number); c++) {
    if (parent[c] !== k) continue
    if (at < (first[c] as number)) visit(at, first[c] as number)
    at = end[c] as number
  }
  if (at < (end[k] as number)) visit(at, end[k] as number)
}
