/**
 * Move: files get other paths, and the next version knows that they are the same files.
 *
 * A directory is moved with all that is in it, tracked or not. What was announced (`moves` of the state) is always from a
 * path of the version that the work tree stands on: of a chain only both ends count, and a file that is back has not moved.
 * @module
 */
import { toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { kindOf } from '../repo/mode.js'
import { formatPath, unformatPath } from '../repo/path-text.js'
import type { Failure } from './apply.js'
import { fileStat, sameStat } from './file-stat.js'
import { filesBelow } from './files-below.js'
import { type FileMove, type FileTarget, storedContent } from './operation.js'
import type { WorkState } from './state.js'
import { lookAt, readWorkFile } from './work-files.js'
import type { Worktree } from './worktree.js'

export interface MoveOptions {
  /** Files and directories; binary strings. */
  readonly from: readonly string[]
  /** The new path; where a directory is there, or several are moved, the directory to move into. */
  readonly to: string
  /** That is a directory, whether it is there or not. */
  readonly isDirectory?: boolean | undefined
  /** Overwrite what is in the way; undo brings it back. */
  readonly force?: boolean | undefined
}

/** A path and the new one. */
export interface MovedPath {
  readonly from: string
  readonly to: string
}

export interface MoveReport {
  /** What was asked for, a file or directory each. */
  readonly moved: readonly MovedPath[]
  /** Files that have another path now. */
  readonly files: number
  readonly failures: readonly Failure[]
}

/** Announced moves: new path -> path in the base version. Binary strings. */
export type Moves = ReadonlyMap<string, string>

/**
 * Moves files and directories.
 *
 * @throws {CodedError} `PATH_UNKNOWN` where there is nothing to move, `PATH_TAKEN` where something is in the way,
 *   `DIR_NOT_FOUND`, `PATH_BLOCKED`, `USAGE`.
 */
export async function movePaths(work: Worktree, options: MoveOptions): Promise<MoveReport> {
  const { root } = work
  const { from, to, isDirectory = false, force = false } = options
  const isInto = isDirectory || to === '' || lookAt(root, to)?.isDirectory() === true
  if (from.length > 1 && !isInto) throw noDirectory(to)
  const renames = new Map<string, string>()
  const moved: MovedPath[] = []
  for (const path of from) {
    const target = isInto ? join(to, path.slice(path.lastIndexOf('/') + 1)) : to
    if (path === '' || target === path || target.startsWith(`${path}/`)) throw intoItself(path, target)
    for (const [old, now] of renamesBelow(work, path, target)) renames.set(old, now)
    moved.push({ from: formatPath(path), to: formatPath(target) })
  }
  const targets = new Set(renames.values())
  if (targets.size < renames.size) throw new CodedError('PATH_TAKEN', 'Two of the files would get one path.')
  if (!force) for (const target of targets) assertFree(work, target, renames)
  const files: FileMove[] = []
  for (const [old, now] of renames) {
    const target = targetOf(work, old)
    if (target === undefined) continue
    files.push({ path: now, to: target })
    if (!targets.has(old)) files.push({ path: old, to: undefined })
  }
  const { failures } = await work.perform({
    command: 'mv',
    summary: moved.map((one) => `${one.from} to ${one.to}`).join(', '),
    files,
    state: movedState(work, renames),
  })
  return { moved, files: renames.size, failures }
}

/**
 * Announced moves after more of them.
 *
 * @param renames - Old path -> new path, all at once.
 * @param isTracked - Whether the base version has a path.
 */
export function followMoves(
  moves: Moves,
  renames: ReadonlyMap<string, string>,
  isTracked: (path: string) => boolean,
): Map<string, string> {
  const after = new Map(moves)
  const away = new Set(moves.values())
  for (const [from, to] of renames) {
    after.delete(from)
    after.delete(to)
  }
  for (const [from, to] of renames) {
    // A path from which a file was moved away holds another one since, if any.
    const origin = moves.get(from) ?? (isTracked(from) && !away.has(from) ? from : undefined)
    if (origin !== undefined && origin !== to) after.set(to, origin)
  }
  return after
}

/** The state of the work tree when files have other paths. */
function movedState({ state, index }: Worktree, renames: ReadonlyMap<string, string>): WorkState {
  const moves = followMoves(movesOf(state), renames, (path) => index.find(path) >= 0)
  const files = Object.entries(state.files ?? {}).map(([path, file]): [string, string] => {
    const to = renames.get(unformatPath(path))
    return [to === undefined ? path : formatPath(to), file]
  })
  return withFiles(withMoves(state, moves), Object.fromEntries(files))
}

export function movesOf({ moves = {} }: WorkState): Map<string, string> {
  return new Map(Object.entries(moves).map(([to, from]) => [unformatPath(to), unformatPath(from)]))
}

/** Paths, and for those of files that were moved the other path too: half a move would be another file. */
export function withBothEnds(paths: readonly string[] | undefined, state: WorkState): readonly string[] | undefined {
  if (paths === undefined || paths.length === 0) return paths
  const isChosen = (path: string) => paths.some((one) => one === '' || path === one || path.startsWith(`${one}/`))
  const ends = [...movesOf(state)].filter((move) => move.some(isChosen))
  return [...paths, ...ends.flat()]
}

/** The state with other announced moves. */
export function withMoves(state: WorkState, moves: Moves): WorkState {
  const { moves: _, ...rest } = state
  if (moves.size === 0) return rest
  return { ...rest, moves: Object.fromEntries([...moves].map(([to, from]) => [formatPath(to), formatPath(from)])) }
}

/** The state with other files at paths that the base version does not have. */
export function withFiles(state: WorkState, files: Readonly<Record<string, string>>): WorkState {
  const { files: _, ...rest } = state
  return Object.keys(files).length === 0 ? rest : { ...rest, files }
}

function join(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`
}

/** Old and new path of every file that goes with a path. */
function renamesBelow({ root, index }: Worktree, path: string, target: string): [string, string][] {
  const { files, nested, special } = filesBelow(root, path)
  const [repository] = nested
  if (repository !== undefined) {
    throw new CodedError('PATH_BLOCKED', `${formatPath(repository)} is a repository of its own and cannot be moved.`, {
      hint: 'Move it yourself, and the rest with `weft mv`.',
    })
  }
  if (files.length > 0) return files.map((file) => [file, target + file.slice(path.length)])
  // Somebody moved it already, and tells.
  const gone = [...index.below(path)].map((tracked) => tracked.path)
  const renames = gone.map((file): [string, string] => [file, target + file.slice(path.length)])
  const isThere = lookAt(root, path) !== undefined || special.length > 0
  if (!isThere && renames.length > 0 && renames.every(([, now]) => lookAt(root, now) !== undefined)) return renames
  throw new CodedError('PATH_UNKNOWN', `There is no file to move at ${formatPath(path)}.`, {
    hint: '`weft status` shows what there is.',
  })
}

function assertFree({ root, index }: Worktree, path: string, renames: ReadonlyMap<string, string>): void {
  const stat = lookAt(root, path)
  if (stat === undefined || stat.isDirectory() || renames.has(path)) return
  for (const [old, now] of renames) {
    const before = now === path ? lookAt(root, old) : undefined
    // Moved by somebody already, or one file under two names: the file system does not tell upper from lower case.
    if (now === path && (before === undefined ? index.find(path) < 0 : before.ino === stat.ino)) return
  }
  throw new CodedError('PATH_TAKEN', `There is something at ${formatPath(path)} already.`, {
    hint: '--force overwrites it; `weft undo` brings it back.',
    data: { path: formatPath(path) },
  })
}

/** What is at a path, as it will be elsewhere; undefined where nothing is there any more. */
function targetOf({ root, index }: Worktree, path: string): FileTarget | undefined {
  const tracked = index.get(path)
  const stat = lookAt(root, path)
  if (stat === undefined) return undefined
  if (tracked?.stat !== undefined && sameStat(fileStat(stat), tracked.stat) && kindOf(tracked.mode) !== 'submodule') {
    const stored = index.base && storedContent(tracked, toHex(index.base.id))
    return { mode: tracked.mode, sha256: toHex(tracked.sha256), stored }
  }
  const file = readWorkFile(root, path)
  return file && { mode: file.mode, sha256: crypto.sha256Hex(file.bytes), bytes: file.bytes }
}

function noDirectory(path: string): CodedError {
  return new CodedError('DIR_NOT_FOUND', `There is no directory ${formatPath(path)} to move several files into.`, {
    hint: 'Make it first.',
  })
}

function intoItself(path: string, target: string): CodedError {
  const what = path === '' ? 'The whole work tree' : formatPath(path)
  return new CodedError('USAGE', `${what} cannot be moved to ${formatPath(target)}, which is itself or in it.`)
}
