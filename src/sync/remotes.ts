/**
 * Remotes: names for places where replicas can be reached.
 *
 *     <root>/.weft/remotes     JSON: { "<name>": { "url": "...", "token"?: "..." } }, in the order in which they were added
 *
 * Of this replica alone, and readable by its owner only, since it holds tokens.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeUtf8 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { writeDurably } from '../repo/durable.js'
import { WEFT_DIRECTORY } from '../repo/layout.js'

/** The remote that is meant where none is named and there are several. */
export const DEFAULT_REMOTE = 'origin'

/** A place, and how it is called. */
export interface Remote {
  readonly name: string
  readonly url: string
  /** What a server wants to be shown. */
  readonly token?: string
}

const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$/u

/** All remotes of the repository at `root`, in the order in which they were added. */
export function readRemotes(root: string): Remote[] {
  let text: string
  try {
    text = readFileSync(remotesPath(root), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  const found = parseRemotes(text)
  if (found !== undefined) return found
  throw new CodedError('CONFIG_BAD', `${remotesPath(root)} does not say which remotes there are.`, {
    hint: 'It is JSON. Mend it, or remove it and add the remotes again.',
  })
}

function parseRemotes(text: string): Remote[] | undefined {
  try {
    return Object.entries(JSON.parse(text) as Record<string, unknown>).map(([name, value]) => {
      const { url, token } = value as Record<string, unknown>
      if (typeof url !== 'string') throw new TypeError(name)
      return { name, url, ...(typeof token === 'string' && { token }) }
    })
  } catch {
    return undefined
  }
}

/**
 * Adds a remote.
 *
 * @throws {CodedError} `NAME_BAD`, `NAME_TAKEN`, `DISK_*`.
 */
export function addRemote(root: string, remote: Remote): void {
  const remotes = readRemotes(root)
  if (!NAME.test(remote.name)) {
    throw new CodedError('NAME_BAD', `A remote cannot be called ${JSON.stringify(remote.name)}.`, {
      hint: 'Up to 64 letters, digits, dots, hyphens and underscores, a letter or digit first.',
    })
  }
  if (remotes.some(({ name }) => name === remote.name)) {
    throw new CodedError('NAME_TAKEN', `There is a remote ${remote.name} already.`, {
      hint: `Take another name, or \`weft remote remove ${remote.name}\` first.`,
    })
  }
  write(root, [...remotes, remote])
}

/** @throws {CodedError} `REMOTE_UNKNOWN`, `DISK_*`. */
export function removeRemote(root: string, name: string): Remote {
  const remote = findRemote(root, name)
  write(
    root,
    readRemotes(root).filter((other) => other.name !== name),
  )
  return remote
}

function write(root: string, remotes: readonly Remote[]): void {
  const byName = Object.fromEntries(remotes.map(({ name, url, token }) => [name, { url, token }]))
  writeDurably(remotesPath(root), encodeUtf8(`${JSON.stringify(byName, undefined, 2)}\n`), 0o600)
}

/** @throws {CodedError} `REMOTE_UNKNOWN`. */
export function findRemote(root: string, name: string): Remote {
  const remotes = readRemotes(root)
  const found = remotes.find((remote) => remote.name === name)
  if (found !== undefined) return found
  const names = remotes.map((remote) => remote.name).join(', ')
  throw new CodedError('REMOTE_UNKNOWN', `There is no remote ${JSON.stringify(name)}.`, {
    hint: names === '' ? 'Add it with `weft remote add <name> <url>`.' : `There are: ${names}.`,
  })
}

/**
 * The remote that a command means.
 *
 * @param wanted - A name, or an address; by default `origin`, or the only one there is.
 * @throws {CodedError} `REMOTE_UNKNOWN`, `REMOTE_NONE`.
 */
export function remoteFor(root: string, wanted: string | undefined): Remote {
  const remotes = readRemotes(root)
  if (wanted !== undefined) {
    const named = remotes.find(({ name }) => name === wanted)
    if (named !== undefined) return named
    return looksLikeUrl(wanted) ? { name: wanted, url: wanted } : findRemote(root, wanted)
  }
  const [first, ...others] = remotes
  const found = remotes.find(({ name }) => name === DEFAULT_REMOTE) ?? (others.length === 0 ? first : undefined)
  if (found !== undefined) return found
  throw new CodedError('REMOTE_NONE', remotes.length === 0 ? 'There is no remote.' : 'There are several remotes.', {
    hint:
      remotes.length === 0 ? 'Add one with `weft remote add origin <url>`, or name an address.' : 'Name one of them.',
  })
}

function looksLikeUrl(text: string): boolean {
  return text.includes('/') || text.includes('\\') || text.startsWith('.') || text.endsWith('.weft')
}

function remotesPath(root: string): string {
  return join(root, WEFT_DIRECTORY, 'remotes')
}
