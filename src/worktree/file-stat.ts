/**
 * What the file system says of a file without reading it, and when that may be trusted.
 *
 * Times are milliseconds since 1970 as doubles: 53 bits tell moments apart that are 0.25 us from each other, and no file
 * is read and an index written within less. They are compared for equality only, as is the inode.
 *
 * A stat is *settled* when any change from now on must show in it. The clock of a file system moves in ticks, and a file
 * changed twice within one tick, to the same size, has the same stat both times ("racily clean" in git). So a stat is
 * worth remembering only where both of its times lie before the tick in which it was taken. What tick it is the file
 * system itself must say, since its clock may be another machine's: `fileClock` makes a file and looks.
 * @see git, Documentation/technical/racy-git.txt. Git compares with the time at which the index is written, here the time
 *   before the file was looked at is compared: a change between both is seen too.
 * @module
 */
import { closeSync, fstatSync, openSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { WEFT_DIRECTORY } from '../repo/layout.js'

/** A file was of a known content when it had this stat. */
export interface FileStat {
  /** Last change of the content: milliseconds since 1970. */
  readonly mtime: number
  /** Last change of anything, which nobody can set: milliseconds since 1970. */
  readonly ctime: number
  readonly inode: number
  /** Bytes. */
  readonly size: number
}

/** What of Node's `Stats` is looked at. */
export interface SystemStat {
  readonly mtimeMs: number
  readonly ctimeMs: number
  readonly ino: number
  readonly size: number
}

/** What of lstat(2) is remembered. */
export function fileStat({ mtimeMs, ctimeMs, ino, size }: SystemStat): FileStat {
  return { mtime: mtimeMs, ctime: ctimeMs, inode: ino, size }
}

export function sameStat(a: FileStat, b: FileStat): boolean {
  return a.mtime === b.mtime && a.ctime === b.ctime && a.inode === b.inode && a.size === b.size
}

/**
 * Whether a stat is worth remembering.
 *
 * @param clock - The file system's clock before the stat was taken, as `fileClock` gives it.
 */
export function isSettled({ mtime, ctime }: FileStat, clock: number): boolean {
  return mtime + tickOf(mtime) <= clock && ctime + tickOf(ctime) <= clock
}

/** The longest tick that a file system has, in milliseconds: FAT's. */
export const LONGEST_TICK = 2000

/** Ticks that file systems have, in milliseconds: FAT, ext3 and HFS+, exFAT. All others are finer. */
const TICKS = [LONGEST_TICK, 1000, 10, 1]

/** A tick finer than all of the above: the least difference of two times is greater. */
const FINE = 1e-4

/**
 * The longest tick that a time may have been rounded to. A work tree may lie on several file systems, so the answer comes
 * from the time itself: a whole number of seconds is a coarse one until proven otherwise.
 */
function tickOf(time: number): number {
  return TICKS.find((tick) => time % tick === 0) ?? FINE
}

/**
 * The clock of the file system that holds the repository at `root`, in milliseconds since 1970.
 *
 * @returns Before all times where nothing can be written there, so that nothing counts as settled.
 */
export function fileClock(root: string): number {
  const path = join(root, WEFT_DIRECTORY, `clock.${process.pid}`)
  try {
    const file = openSync(path, 'w')
    try {
      return fstatSync(file).mtimeMs
    } finally {
      closeSync(file)
      unlinkSync(path)
    }
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).code === 'string') return Number.NEGATIVE_INFINITY
    throw error
  }
}
