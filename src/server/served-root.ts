/**
 * What a server serves: one repository, or a folder of them, and which repository a URL's path means.
 *
 * The path of a URL below the server's address is the path of the repository below the root. What it leads to is looked at
 * with all symbolic links followed, and has to be within the root, itself followed: a link within is a way, a link out is
 * none. There is no telling "not there" from "not inside".
 * @module
 */
import { realpath, stat } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { CodedError } from '../base/error.js'
import { findRoot, isRepository, WEFT_DIRECTORY } from '../repo/layout.js'

/** What is served. */
export interface ServedRoot {
  /** Absolute, with links followed. */
  readonly path: string
  readonly kind: 'repository' | 'folder'
}

/**
 * What `directory` stands for: itself; where none is named, the repository that the working directory is in, or else the
 * working directory as a folder of repositories.
 *
 * @throws {CodedError} `DIR_NOT_FOUND`, `DIR_IS_FILE`.
 */
export async function servedRoot(directory: string | undefined, cwd: string): Promise<ServedRoot> {
  if (directory === undefined) {
    const found = await findRoot(cwd).catch((error: unknown) => {
      if (error instanceof CodedError && error.code === 'REPO_NOT_FOUND') return undefined
      throw error
    })
    if (found !== undefined) return { path: await realpath(found), kind: 'repository' }
  }
  const wanted = resolve(cwd, directory ?? '.')
  const path = await realpath(wanted).catch(() => undefined)
  if (path === undefined) {
    throw new CodedError('DIR_NOT_FOUND', `There is no directory ${wanted} to serve.`, { hint: 'Check the path.' })
  }
  if (!(await stat(path)).isDirectory()) {
    throw new CodedError('DIR_IS_FILE', `${wanted} is not a directory.`, {
      hint: 'Name a repository, or a folder with repositories in it.',
    })
  }
  return { path, kind: (await isRepository(path)) ? 'repository' : 'folder' }
}

/**
 * The repository that a URL's path means: absolute, with links followed.
 *
 * @param path - As it stands in the URL, percent-encoded, with its first slash.
 * @returns undefined where there is none, or none that is to be served.
 */
export async function repositoryAt(root: ServedRoot, path: string): Promise<string | undefined> {
  const parts = partsOf(path)
  if (parts === undefined) return undefined
  if (root.kind === 'repository') return parts.length === 0 ? root.path : undefined
  const found = await realpath(join(root.path, ...parts)).catch(() => undefined)
  if (found === undefined || !isWithin(root.path, found) || !(await isRepository(found))) return undefined
  // The store, too, might be a link to somebody else's.
  const store = await realpath(join(found, WEFT_DIRECTORY, 'store')).catch(() => undefined)
  return store !== undefined && isWithin(root.path, store) ? found : undefined
}

function isWithin(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)
}

/** The names on the way; undefined where one is no name of a file, or is nobody else's business. */
function partsOf(path: string): string[] | undefined {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '') continue
    let name: string
    try {
      name = decodeURIComponent(part)
    } catch {
      // A percent sign that is no escape.
      return undefined
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    if (/[/\\\u0000-\u001f]/.test(name) || name === '.' || name === '..' || name.toLowerCase() === WEFT_DIRECTORY)
      return undefined
    parts.push(name)
  }
  return parts
}
