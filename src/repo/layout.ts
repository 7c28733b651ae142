/**
 * Where a repository keeps what, and how it is found.
 *
 *     <root>/.weft/store/     the LevelDB: all entries
 *     <root>/.weft/head       where the work tree stands: `branch <name>` and `version <id>`, a line each
 *
 * @module
 */
import { readFile, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { CodedError } from '../base/error.js'

/** Name of the directory that makes its parent a repository. */
export const WEFT_DIRECTORY = '.weft'

export function storePath(root: string): string {
  return join(root, WEFT_DIRECTORY, 'store')
}

function headPath(root: string): string {
  return join(root, WEFT_DIRECTORY, 'head')
}

/** Whether `root` itself is a repository. */
export async function isRepository(root: string): Promise<boolean> {
  const found = await stat(storePath(root)).catch(() => undefined)
  return found?.isDirectory() === true
}

/**
 * The repository that `directory` is in: itself or the nearest one above.
 *
 * @throws {CodedError} `REPO_NOT_FOUND`.
 */
export async function findRoot(directory: string): Promise<string> {
  for (let at = resolve(directory); ; at = dirname(at)) {
    if (await isRepository(at)) return at
    if (dirname(at) === at) break
  }
  throw noRepository(resolve(directory))
}

/** The error for a directory without a repository, or with one that was never finished. */
export function noRepository(directory: string, cause?: unknown): CodedError {
  return new CodedError('REPO_NOT_FOUND', `There is no weft repository at ${directory} or above it.`, {
    hint: 'Make one with `weft init` or `weft git import <repository> <dir>`, or point at one with -C <dir>.',
    cause,
  })
}

/** Where a work tree stands. */
export interface Head {
  /** The current branch; none where the work tree stands on a version by itself. */
  readonly branch?: string | undefined
  /** Hex id of the version that the work tree was last made equal to; none where nothing was ever written into it. */
  readonly version?: string | undefined
}

/** Where the work tree stands; nothing where none has been set. */
export async function readHead(root: string): Promise<Head> {
  let text: string
  try {
    text = await readFile(headPath(root), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
  return { branch: /^branch (.+)$/m.exec(text)?.[1], version: /^version ([0-9a-f]{64})$/m.exec(text)?.[1] }
}

/** Says where the work tree stands from now on. */
export async function writeHead(root: string, { branch, version }: Head): Promise<void> {
  const path = headPath(root)
  const lines = [...(branch === undefined ? [] : [`branch ${branch}\n`]), ...(version ? [`version ${version}\n`] : [])]
  await writeFile(`${path}.new`, lines.join(''), { flush: true })
  await rename(`${path}.new`, path)
}
