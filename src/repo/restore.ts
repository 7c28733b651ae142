/**
 * Restoring: the files of a state, written into an empty or new directory, whole or not at all.
 *
 * Writing is synchronous: the files are many and small, and a promise for each costs more than writing it.
 *
 * Nothing is written through a link: all directories are made here, in a directory that was empty, and links are
 * made last. Owners, times and special permission bits are not kept, as in git; a submodule becomes an empty directory.
 * @module
 */
import { closeSync, mkdirSync, openSync, symlinkSync, writeSync } from 'node:fs'
import { resolve } from 'node:path'
import { fromLatin1 } from '../base/bytes.js'
import { milliseconds } from '../base/clock.js'
import { CodedError } from '../base/error.js'
import type { PathPut } from '../history/path-entry.js'
import { type PathState, pathsAt } from '../history/paths.js'
import { ChosenPaths } from './chosen-paths.js'
import { contentsOf } from './contents.js'
import type { RepositoryContext } from './context.js'
import { diskError } from './disk-error.js'
import { WEFT_DIRECTORY } from './layout.js'
import { kindOf } from './mode.js'
import { formatPath } from './path-text.js'
import { formatState, type State } from './resolve.js'
import type { Progress, RestoreReport } from './results.js'
import { assertSafePaths } from './safe-path.js'
import { below, openTarget, openTargetAround, type Target } from './target.js'

/** What of a state to write, and where to. */
export interface RestoreOptions {
  /** Files and directories; all where there are none. */
  readonly paths?: readonly string[] | undefined
  readonly to: string
  readonly progress?: Progress | undefined
}

/** Paths that are the same as bytes and as text. The file system takes a text in half the time. */
const ASCII = /^[ -~]*$/

/** Files between two calls of the progress function. */
const PROGRESS_EVERY = 64

/**
 * Writes the state that `at` names into a new or empty directory.
 *
 * @throws {CodedError} `DIR_NOT_EMPTY`, `DIR_IS_FILE`, `DISK_*` for the directory; `PATH_UNKNOWN`, `PATH_UNSAFE`,
 *   `PATH_COLLISION`, `PATH_TOO_LONG` for paths; `V_*` for `at`; `CONTENT_DAMAGED` and others for the store.
 */
export async function restoreState(
  repository: RepositoryContext,
  { at, ...options }: RestoreOptions & { readonly at: string },
): Promise<RestoreReport> {
  return writeState(repository, await repository.resolve(at), options)
}

/** Like `restoreState`, for a state that is known already. */
export async function writeState(
  repository: RepositoryContext,
  state: State,
  { paths, to, progress }: RestoreOptions,
): Promise<RestoreReport> {
  const chosen = new ChosenPaths(paths)
  return fill(repository, state, chosen, () => openTarget(to), to, progress)
}

/**
 * Writes the files of a state, by default the current branch's, into the repository's own directory, which must hold
 * nothing but the repository.
 *
 * @throws {CodedError} As `restoreState`.
 */
export async function checkoutState(
  repository: RepositoryContext,
  progress?: Progress,
  at?: string,
): Promise<RestoreReport> {
  const { root } = repository
  const state = await repository.resolve(at)
  return fill(repository, state, new ChosenPaths(), () => openTargetAround(root, WEFT_DIRECTORY), root, progress)
}

/** What is at the chosen paths; refused where a part of the choice is not there. */
export async function pathsToWrite(
  { entries, versions }: RepositoryContext,
  { vector }: State,
  chosen: ChosenPaths,
): Promise<PathState<PathPut>[]> {
  const found = new Map<string, PathState<PathPut>>()
  for (const under of chosen.roots) {
    for await (const state of pathsAt(entries, versions.streams, vector, under)) {
      if (chosen.includes(state.path)) found.set(state.path, state)
    }
  }
  chosen.assertFound('in this version')
  return [...found.values()]
}

async function fill(
  repository: RepositoryContext,
  state: State,
  chosen: ChosenPaths,
  open: () => Target,
  to: string,
  progress: Progress = () => undefined,
): Promise<RestoreReport> {
  const started = milliseconds()
  const states = await pathsToWrite(repository, state, chosen)
  assertSafePaths(states.map(({ path }) => path))
  const target = open()
  try {
    const bytes = await writeAll(repository, state, states, target.stage, progress)
    target.commit()
    const seconds = (milliseconds() - started) / 1000
    return { at: formatState(state, repository.versions), to: resolve(to), files: states.length, bytes, seconds }
  } catch (error) {
    target.abandon()
    throw error
  }
}

/** Writes everything below `directory` and returns how many bytes of content that was. */
async function writeAll(
  { entries, versions }: RepositoryContext,
  { vector }: State,
  states: readonly PathState<PathPut>[],
  directory: string,
  progress: Progress,
): Promise<number> {
  const context = { entries, streams: versions.streams }
  const tree = new TreeWriter(directory)
  const links: { path: string; target: Uint8Array }[] = []
  const contents: PathState<PathPut>[] = []
  for (const state of states) {
    if (kindOf(state.entry.mode) === 'submodule') tree.directory(state.path)
    else contents.push(state)
  }
  let bytes = 0
  let done = states.length - contents.length
  for await (const { state, content } of contentsOf(context, contents, vector)) {
    if (done % PROGRESS_EVERY === 0) progress('restore', done, states.length)
    done++
    bytes += content.length
    const { path, entry } = state
    const kind = kindOf(entry.mode)
    if (kind === 'symlink') links.push({ path, target: content })
    else tree.file(path, content, kind === 'executable')
  }
  for (const { path, target } of links) tree.link(path, target)
  progress('restore', done, states.length)
  return bytes
}

/** Writes below a directory that was empty. Paths are binary strings. */
class TreeWriter {
  readonly #root: string
  readonly #directories = new Set<string>([''])

  constructor(root: string) {
    this.#root = root
  }

  file(path: string, content: Uint8Array, executable: boolean): void {
    this.#parent(path)
    this.#attempt(path, (at) => {
      const file = openSync(at, 'wx', executable ? 0o777 : 0o666)
      try {
        for (let written = 0; written < content.length; ) written += writeSync(file, content, written)
      } finally {
        closeSync(file)
      }
    })
  }

  link(path: string, target: Uint8Array): void {
    if (target.length === 0 || target.includes(0)) {
      throw new CodedError('PATH_UNSAFE', `The link ${formatPath(path)} points to what no link can point to.`, {
        hint: 'Nothing was written. Name the paths to restore, and leave this one out.',
        data: { path: formatPath(path) },
      })
    }
    this.#parent(path)
    this.#attempt(path, (at) => symlinkSync(Buffer.from(target), at))
  }

  directory(path: string): void {
    if (this.#directories.has(path)) return
    this.#parent(path)
    this.#attempt(path, (at) => mkdirSync(at))
    this.#directories.add(path)
  }

  #parent(path: string): void {
    const slash = path.lastIndexOf('/')
    if (slash > 0) this.directory(path.slice(0, slash))
  }

  #attempt(path: string, act: (at: string | Buffer) => void): void {
    try {
      act(ASCII.test(path) ? `${this.#root}/${path}` : below(this.#root, fromLatin1(path)))
    } catch (error) {
      throw diskError(error, formatPath(path))
    }
  }
}
