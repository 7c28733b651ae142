/**
 * Who may replace the index: whoever made `.weft/index.lock`, which names its process.
 *
 * Commands that change something hold the store's lock as well; this one is for `status`, which opens no store and still
 * may remember what it found out. A lock is held for milliseconds. One whose process is gone, or that is a minute old, was
 * left behind and is taken over. As its owner may only have been stopped, whoever replaces the index looks once more
 * before it does whether the lock is still its own.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { linkSync, lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { milliseconds } from '../base/clock.js'
import { CodedError } from '../base/error.js'
import { diskError } from '../repo/disk-error.js'
import { WEFT_DIRECTORY } from '../repo/layout.js'

/** Age from which on a lock is held by nobody, in milliseconds. */
const STALE_AGE = 60_000

/** Between two attempts, in milliseconds. */
const PAUSE = 5

/** The right to replace the index. */
export interface IndexLock extends Disposable {
  /** @throws {CodedError} `INDEX_LOCKED` when somebody took the lock over meanwhile. */
  assertHeld(): void
}

/**
 * Takes the lock.
 *
 * @param wait - Milliseconds to wait for another process.
 * @throws {CodedError} `INDEX_LOCKED`, `DISK_*`.
 */
export function lockIndex(root: string, wait: number): IndexLock {
  const path = lockPath(root)
  const until = milliseconds() + wait
  for (;;) {
    const lock = attempt(path)
    if (lock !== undefined) return lock
    if (milliseconds() >= until) throw locked(path)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE)
  }
}

/** Takes the lock if nobody has it and the disk lets us. */
export function tryLockIndex(root: string): IndexLock | undefined {
  try {
    return attempt(lockPath(root))
  } catch (error) {
    if (error instanceof CodedError) return undefined
    throw error
  }
}

function lockPath(root: string): string {
  return join(root, WEFT_DIRECTORY, 'index.lock')
}

function locked(path: string): CodedError {
  return new CodedError('INDEX_LOCKED', `Another process is writing the index of this work tree: ${path} is there.`, {
    hint: 'Run the same command again when it is done.',
    data: { path },
  })
}

function attempt(path: string): IndexLock | undefined {
  // The number makes the text this lock's and no other's.
  const text = `${process.pid} ${randomBytes(8).toString('hex')}\n`
  if (!make(path, text) && !(removeStale(path) && make(path, text))) return undefined
  const isHeld = (): boolean => readLock(path) === text
  return {
    assertHeld() {
      if (!isHeld()) throw locked(path)
    },
    [Symbol.dispose]() {
      if (isHeld()) rmSync(path, { force: true })
    },
  }
}

function make(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw diskError(error, path)
  }
}

/** What the lock file says; undefined where there is none. */
function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw diskError(error, path)
  }
}

/** @returns Whether the way is free now. */
function removeStale(path: string): boolean {
  const text = readLock(path)
  if (text === undefined) return true
  if (!isStale(path, text)) return false
  // Two may find this out at once. So it is moved aside, and back if by then it was another's.
  const aside = `${path}.${process.pid}`
  try {
    renameSync(path, aside)
    const same = readLock(aside) === text
    if (!same) linkSync(aside, path)
    rmSync(aside, { force: true })
    return same
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'EEXIST') return false
    throw diskError(error, path)
  }
}

function isStale(path: string, text: string): boolean {
  const pid = Number(/^(\d{1,10}) /.exec(text)?.[1])
  // An empty lock is one that is being made.
  if (pid > 0 && !isAlive(pid)) return true
  const made = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs
  return made !== undefined && Math.abs(Date.now() - made) > STALE_AGE
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
