/**
 * The directory that a state is written into: filled whole or not at all.
 *
 * Everything is written into a directory of its own first, the *stage*, and moved to where it belongs by renaming at the
 * very end. The stage of a target that is not there yet, or is empty, lies beside it, and one rename puts it in its
 * place. Where a directory must stay the one it is (it holds the repository, somebody stands in it, it is a link, a mount
 * point or another user's), the stage lies inside and what is in it is moved up, name by name.
 * @module
 */
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs'
import { dirname, join, parse, resolve } from 'node:path'
import { CodedError } from '../base/error.js'
import { diskError } from './disk-error.js'

/** A directory about to be filled. */
export interface Target {
  /** Where to write meanwhile: an empty directory. */
  readonly stage: string
  /**
   * Puts what was written in its place.
   *
   * @throws {CodedError} `DIR_NOT_EMPTY` when somebody else has put something there meanwhile, `DISK_*`.
   */
  commit(): void
  /** Removes what was written. */
  abandon(): void
}

/**
 * Prepares to fill `to`.
 *
 * @throws {CodedError} `DIR_NOT_EMPTY`, `DIR_IS_FILE`, `DISK_*`.
 */
export function openTarget(to: string): Target {
  const path = resolve(to)
  try {
    const there = statSync(path, { throwIfNoEntry: false })
    if (there === undefined && lstatSync(path, { throwIfNoEntry: false }) === undefined) return besideTarget(path)
    if (there?.isDirectory() !== true) {
      throw new CodedError('DIR_IS_FILE', `${path} is not a directory.`, { hint: 'Name a new or empty directory.' })
    }
    assertHolds(path, [])
    return mustStay(path, there) ? insideTarget(path, path, []) : besideTarget(path, there)
  } catch (error) {
    throw diskError(error, path)
  }
}

/**
 * Prepares to fill a directory in which there is nothing yet but `beside`, a directory, which stays.
 *
 * @throws {CodedError} `DIR_NOT_EMPTY`, `DISK_*`.
 */
export function openTargetAround(path: string, beside: string): Target {
  try {
    assertHolds(path, [beside])
    return insideTarget(path, join(path, beside), [beside])
  } catch (error) {
    throw diskError(error, path)
  }
}

/** Refuses a directory with anything in it but what may be there. */
function assertHolds(path: string, allowed: readonly string[]): void {
  const found = readdirSync(path, { encoding: 'buffer' }).map((name) => name.toString('latin1'))
  const others = found.filter((name) => !allowed.includes(name))
  if (others.length === 0) return
  throw new CodedError('DIR_NOT_EMPTY', `The directory ${path} is not empty: files there could be overwritten.`, {
    hint: 'Name a new or empty directory.',
    data: { path, entries: others.length },
  })
}

/** Whether putting another directory in the place of this one would be noticed. */
function mustStay(path: string, there: Stats): boolean {
  const here = statSync('.', { throwIfNoEntry: false })
  return (
    lstatSync(path).isSymbolicLink() ||
    (here?.ino === there.ino && here.dev === there.dev) ||
    statSync(dirname(path)).dev !== there.dev ||
    there.uid !== (process.geteuid?.() ?? there.uid)
  )
}

function stageName(): string {
  return `weft-${randomBytes(6).toString('hex')}`
}

/** @param there - The empty directory that is at `path`. */
function besideTarget(path: string, there?: Stats): Target {
  const parent = dirname(path)
  const made = mkdirSync(parent, { recursive: true })
  const { base } = parse(path)
  const stage = join(parent, `${base}.${stageName()}`)
  try {
    mkdirSync(stage)
  } catch (error) {
    // The target may be the one place that this user may write to.
    if (there !== undefined) return insideTarget(path, path, [])
    removeMade(parent, made)
    throw error
  }
  return {
    stage,
    commit() {
      try {
        if (there !== undefined) chmodSync(stage, there.mode & 0o7777)
        replaceEmpty(stage, path)
      } catch (error) {
        throw commitError(error, path)
      }
    },
    abandon() {
      rmSync(stage, { recursive: true, force: true })
      removeMade(parent, made)
    },
  }
}

/** Renames onto a directory that is empty or not there. POSIX does that by itself, Windows wants it gone. */
function replaceEmpty(stage: string, path: string): void {
  try {
    renameSync(stage, path)
  } catch (error) {
    if (process.platform !== 'win32') throw error
    rmdirSync(path)
    renameSync(stage, path)
  }
}

function commitError(error: unknown, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOTDIR') return diskError(error, path)
  return new CodedError('DIR_NOT_EMPTY', `Somebody else has put something at ${path} meanwhile.`, {
    hint: 'Nothing was overwritten. Name a new or empty directory.',
    cause: error,
  })
}

/** Removes the parents that were made, from `parent` up to `made`, as far as they are empty. */
function removeMade(parent: string, made: string | undefined): void {
  if (made === undefined) return
  for (let at = parent; at.length >= made.length; at = dirname(at)) {
    if (readdirSync(at).length > 0) return
    rmdirSync(at)
  }
}

/**
 * @param around - Directory in which the stage is made.
 * @param allowed - What may be in `path` besides.
 */
function insideTarget(path: string, around: string, allowed: readonly string[]): Target {
  const name = `.${stageName()}`
  const stage = join(around, name)
  mkdirSync(stage)
  const own = around === path ? [name] : []
  return {
    stage,
    commit() {
      const moved: Buffer[] = []
      try {
        assertHolds(path, [...allowed, ...own])
        for (const name of readdirSync(stage, { encoding: 'buffer' })) {
          renameSync(below(stage, name), below(path, name))
          moved.push(name)
        }
        rmdirSync(stage)
      } catch (error) {
        for (const name of moved) renameSync(below(path, name), below(stage, name))
        throw commitError(error, path)
      }
    },
    abandon() {
      rmSync(stage, { recursive: true, force: true })
    },
  }
}

/** A name, whatever its bytes, below a directory. */
export function below(directory: string, name: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), name])
}
