/**
 * Where a repository keeps what, and how it is found.
 *
 *     <root>/.weft/store/     the LevelDB: all entries
 *     <root>/.weft/server/    a server's socket, while one runs
 *     <root>/.weft/head       where the work tree stands: `branch <name>` and `version <id>`, a line each
 *
 * @module
 */
import { readFile, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { encodeUtf8 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { writeDurably } from './durable.js'

/** Name of the directory that makes its parent a repository. */
export const WEFT_DIRECTORY = '.weft'

export function storePath(root: string): string {
  return join(root, WEFT_DIRECTORY, 'store')
}

/** Tokens of those who may come through a server (`server/tokens.ts`). */
export function tokensPath(root: string): string {
  return join(root, WEFT_DIRECTORY, 'tokens')
}

/** Where a server that has the store open lets other programs use it; its directory holds nothing else. */
export function storeSocket(root: string): string {
  return join(root, WEFT_DIRECTORY, 'server', 'socket')
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

const HEAD = /^(?:branch (?<branch>.+)\n)?(?:version (?<version>[0-9a-f]{64})\n)?$/

/**
 * Where the work tree stands; nothing where none has been set.
 *
 * @throws {CodedError} `HEAD_DAMAGED`.
 */
export async function readHead(root: string): Promise<Head> {
  const path = headPath(root)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
  const { groups } = HEAD.exec(text) ?? {}
  if (text !== '' && groups !== undefined) return { branch: groups['branch'], version: groups['version'] }
  throw new CodedError('HEAD_DAMAGED', `${path} does not say where the work tree stands.`, {
    hint: 'Remove that file and run `weft switch <branch>`. Files that are not in that version stay as they are.',
  })
}

/** Says where the work tree stands from now on. */
export async function writeHead(root: string, { branch, version }: Head): Promise<void> {
  const lines = [...(branch === undefined ? [] : [`branch ${branch}\n`]), ...(version ? [`version ${version}\n`] : [])]
  if (lines.length > 0) writeDurably(headPath(root), encodeUtf8(lines.join('')), 0o666)
  else await rm(headPath(root), { force: true })
}
